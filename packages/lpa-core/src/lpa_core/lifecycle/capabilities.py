"""Who was seen to offer what, and when: the capability snapshots that attribution chooses from.

Rules: docs/spec/lifecycle.md section 5.1. Nothing is evicted here: which snapshots a limit per wallet spares would
depend on
the order of their arrival.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Final, final

import attrs

from lpa_core.events.coercion import address, blank

TTL_MS: Final = 86_400_000
"""How far a snapshot's time may lie from a signal's before it counts as stale."""

EMPTY: Final = "__empty__"
"""What a blank part of a key is compared as (section 5.1)."""


def key(text: str | None) -> str:
    """A text as it is compared: trimmed and in lower case."""
    return EMPTY if text is None or blank(text) else text.strip().lower()


@final
@attrs.frozen(slots=True)
class Capability:
    """One row of ``network_capabilities``: a GPU, a pipeline and a model that an orchestrator offered at a moment."""

    snapshot_ts: int
    """Epoch ms."""
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
    """Capabilities that differ in nothing but their time: one identity, and each time it was seen at."""

    canonical: str
    """Trimmed and in lower case."""
    local: str
    url: str
    pipeline: str
    model_id: str
    gpu_id: str
    keys: tuple[str, ...] = attrs.field(init=False)
    """Model, URL, GPU, canonical wallet and pipeline, as they are compared."""
    times: array[int] = attrs.field(init=False, factory=lambda: array("q"))
    """Ascending, each once."""

    def __attrs_post_init__(self) -> None:
        self.keys = tuple(map(key, (self.model_id, self.url, self.gpu_id, self.canonical, self.pipeline)))

    def seen_between(self, first: int, last: int) -> bool:
        index = bisect_left(self.times, first)
        return index < len(self.times) and self.times[index] <= last


@final
@attrs.define(slots=True, eq=False)
class Wallet:
    """What one address offers, be it the canonical or the proxy wallet of an orchestrator."""

    offers: list[Offer] = attrs.field(factory=list)
    remembered: dict[Any, Any] = attrs.field(factory=dict)
    """Room for what an attribution policy worked out from the offers but for their times; emptied with a new offer."""


@final
class CapabilityIndex:
    """Capability snapshots by wallet. A snapshot is found under its proxy wallet and under its canonical one."""

    def __init__(self, capabilities: Iterable[Capability] = ()) -> None:
        self._offers: dict[tuple[str, ...], Offer] = {}
        self.wallets: dict[str, Wallet] = {}
        """By address, trimmed and in lower case; to be read only."""
        for capability in capabilities:
            self.add(capability)

    def add(self, capability: Capability) -> bool:
        """Add a snapshot. False if that changes nothing: it names no wallet, or is there already."""
        identity = (
            address(capability.canonical),
            address(capability.local),
            capability.url,
            capability.pipeline,
            capability.model_id,
            capability.gpu_id or "",
        )
        wallets = {*identity[:2]} - {""}
        if not wallets:
            return False
        offer = self._offers.get(identity)
        if offer is None:
            offer = self._offers[identity] = Offer(*identity)
            for name in wallets:
                wallet = self.wallets.setdefault(name, Wallet())
                wallet.offers.append(offer)
                wallet.remembered.clear()
        time, times = capability.snapshot_ts, offer.times
        index = bisect_left(times, time)
        if index < len(times) and times[index] == time:
            return False
        times.insert(index, time)
        return True
