"""Who was seen to offer what, and when: the capability snapshots that attribution chooses from.

Rules: docs/spec/lifecycle.md section 5.1, docs/spec/producers.md section 5. Nothing is evicted here: which snapshots a
limit per wallet spares would depend on the order of their arrival.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
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


@lru_cache(maxsize=4096)
def url_key(url: str) -> str:
    """A URL as it is compared: trimmed, in lower case, without one slash at its end; empty if there is none.

    Outer spaces are trimmed and ASCII letters are lowered: databases do the same.
    """
    if blank(url):
        return ""
    lowered = url.strip(" ").encode(errors="surrogatepass").lower().decode(errors="surrogatepass")
    return lowered.removesuffix("/")


@final
@attrs.frozen(slots=True)
class Capability:
    """One row of ``network_capabilities``: a GPU, a pipeline and a model that an orchestrator offered at a moment.

    Without any of the three it is an identity row: all that is known is who answers at the URL.
    """

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

    @property
    def is_identity(self) -> bool:
        """Whether it offers nothing, and only says who answers at a URL."""
        return self.keys[0] == self.keys[2] == self.keys[4] == EMPTY

    def seen_between(self, first: int, last: int) -> bool:
        index = bisect_left(self.times, first)
        return index < len(self.times) and self.times[index] <= last


@final
@attrs.define(slots=True, eq=False)
class Offers:
    """What one address offers, be it the canonical or the proxy wallet of an orchestrator, or what one URL does."""

    offers: list[Offer] = attrs.field(factory=list[Offer])
    identities: list[Offer] = attrs.field(factory=list[Offer])
    """Of a URL: who answered there without offering anything. Empty for a wallet."""
    remembered: dict[Any, Any] = attrs.field(factory=dict[Any, Any])
    """Room for what an attribution policy worked out from the offers but for their times; emptied with a new offer."""


@final
class CapabilityIndex:
    """Capability snapshots of one org, by wallet and by URL.

    A snapshot is found under its proxy wallet, under its canonical one, and under its URL. An identity row is found
    under its URL only.
    """

    def __init__(self, capabilities: Iterable[Capability] = ()) -> None:
        self._offers: dict[tuple[str, ...], Offer] = {}
        self.wallets: dict[str, Offers] = {}
        """By address, trimmed and in lower case; to be read only."""
        self.urls: dict[str, Offers] = {}
        """By URL, as :func:`url_key` gives it; to be read only."""
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
        if not any(identity[:2]):
            return False
        offer = self._offers.get(identity)
        if offer is None:
            offer = self._offers[identity] = Offer(*identity)
            self._file(offer)
        time, times = capability.snapshot_ts, offer.times
        index = bisect_left(times, time)
        if index < len(times) and times[index] == time:
            return False
        times.insert(index, time)
        return True

    def _file(self, offer: Offer) -> None:
        url = url_key(offer.url)
        found = [self.urls.setdefault(url, Offers())] if url else []
        if offer.is_identity:
            for offers in found:
                offers.identities.append(offer)
        else:
            found += [self.wallets.setdefault(name, Offers()) for name in {offer.canonical, offer.local} - {""}]
            for offers in found:
                offers.offers.append(offer)
        for offers in found:
            offers.remembered.clear()
