"""Who was known to serve what, and when: the capability snapshots that attribution chooses from.

Rules: spec/lifecycle.md section 5.1. Nothing is ever evicted here: a limit of candidates per wallet would keep what
arrived last, and the answer would depend on the order of arrival.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from typing import Any, Final, final

import attrs

from lpa_core.events.coercion import address, blank

EMPTY: Final = "__empty__"
"""Stands for a blank part of a key, so that blank sorts after digits and capitals as the specification has it."""


def key(text: str | None) -> str:
    """A part of an identity, as it is compared: trimmed and in lower case."""
    return EMPTY if text is None or blank(text) else text.strip().lower()


@final
@attrs.frozen(slots=True)
class Capability:
    """One row of ``network_capabilities``: a GPU, a pipeline and a model that an orchestrator offered at a moment."""

    snapshot_ts: int
    source_event_id: str
    canonical: str
    """``orchestrator_address``: the wallet that facts name."""
    local: str
    """``local_address``: the proxy (hot) wallet that signals often name."""
    url: str
    pipeline: str
    model_id: str
    gpu_id: str | None


@final
@attrs.define(slots=True, eq=False)
class Offer:
    """One identity (canonical wallet, URL, pipeline, model, GPU) and every time it was seen at."""

    canonical: str
    url: str
    pipeline: str
    model: str
    gpu: str
    times: list[int] = attrs.field(factory=list)
    """Ascending, each once."""
    _snapshots: dict[int, Capability] = attrs.field(factory=dict)

    def add(self, capability: Capability) -> bool:
        """False where nothing changed. Of several at one time the first by source event and text stays."""
        present = self._snapshots.get(capability.snapshot_ts)
        if present is None:
            insort(self.times, capability.snapshot_ts)
        elif _text(present) <= _text(capability):
            return False
        self._snapshots[capability.snapshot_ts] = capability
        return True

    def at(self, time: int) -> Capability:
        """The snapshot taken at exactly ``time``, which is one of ``times``."""
        return self._snapshots[time]

    def last_until(self, time: int) -> int | None:
        """The latest snapshot at or before ``time``."""
        index = bisect_right(self.times, time)
        return self.times[index - 1] if index else None

    def first_after(self, time: int) -> int | None:
        """The earliest snapshot later than ``time``."""
        index = bisect_right(self.times, time)
        return self.times[index] if index < len(self.times) else None

    def seen_between(self, first: int, last: int) -> bool:
        index = bisect_left(self.times, first)
        return index < len(self.times) and self.times[index] <= last


@final
@attrs.define(slots=True, eq=False)
class Wallet:
    """What one address offers, be it the canonical or the proxy wallet of an orchestrator."""

    offers: dict[tuple[str, ...], Offer] = attrs.field(factory=dict)
    remembered: dict[Any, Any] = attrs.field(factory=dict)
    """Room for what an attribution policy worked out about the offers; emptied whenever there is a new one."""


@final
class CapabilityIndex:
    """Capability snapshots by wallet. A snapshot is found under its proxy wallet and under its canonical one."""

    def __init__(self, capabilities: Iterable[Capability] = ()) -> None:
        self._wallets: dict[str, Wallet] = {}
        for capability in capabilities:
            self.add(capability)

    def add(self, capability: Capability) -> bool:
        """Add a snapshot. False where nothing changed: it was there already, or it names no wallet."""
        changed = False
        for name in {address(capability.local), address(capability.canonical)} - {""}:
            wallet = self._wallets.setdefault(name, Wallet())
            identity = (
                key(capability.canonical),
                key(capability.url),
                key(capability.pipeline),
                key(capability.model_id),
                key(capability.gpu_id),
            )
            offer = wallet.offers.get(identity)
            if offer is None:
                offer = wallet.offers[identity] = Offer(*identity)
                wallet.remembered.clear()
            changed |= offer.add(capability)
        return changed

    def wallet(self, name: str) -> Wallet | None:
        """What ``name``, in lower case and trimmed, offers."""
        return self._wallets.get(name)

    @property
    def wallets(self) -> Mapping[str, Wallet]:
        return self._wallets


def _text(capability: Capability) -> tuple[str, ...]:
    return (
        key(capability.source_event_id),
        capability.source_event_id,
        capability.canonical,
        capability.local,
        capability.url,
        capability.pipeline,
        capability.model_id,
        capability.gpu_id or "",
    )
