"""Who could be meant by a signal: the offers that attribution chooses among, and whether several orchestrators compete.

Rules: docs/spec/producers.md section 5, docs/spec/lifecycle.md section 5.2.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import final

import attrs

from lpa_core.lifecycle.capabilities import EMPTY, TTL_MS, CapabilityIndex, Offer, Offers, key, url_key

_REMEMBERED_AT_MOST = 1024


@final
@attrs.frozen(slots=True, eq=False)
class Candidates:
    """What the offers of a wallet, or of a URL, come to for given hints, whatever the time."""

    best: Sequence[Offer]
    """The compatible offers that fit the hints best, in the order of their keys."""
    rivals: Sequence[Sequence[Offer]]
    """The compatible offers by canonical wallet, if there are several wallets."""
    addresses: frozenset[str]
    """The wallets, canonical and proxy, that all the offers name."""
    _by_url: bool
    _wanted: tuple[str, str]

    def competing(self, time: int) -> Sequence[Sequence[Offer]]:
        """The offers seen near ``time`` by canonical wallet, if several were; else none."""
        if not self.rivals:
            return ()
        first, last = time - TTL_MS, time + TTL_MS
        near = [[offer for offer in offers if offer.seen_between(first, last)] for offers in self.rivals]
        near = [offers for offers in near if offers]
        return near if len(near) > 1 else ()

    def choice(self, time: int) -> Sequence[Offer]:
        """The offers to choose among for a signal of ``time``; none if several orchestrators could be meant."""
        near = self.competing(time)
        if not near:
            return self.best
        names = {offers[0].canonical for offers in near}
        moved = [offers for offers in self.rivals if offers[0].canonical in names]
        if not self._by_url or _overlapping(moved):
            return ()
        return _best(
            min(moved, key=lambda offers: min(remoteness(nearest(o.times, time), time) for o in offers)), self._wanted
        )


def candidates(
    index: CapabilityIndex, wallet: str, model: str, url: str, gpu: str, capability: str = ""
) -> Candidates | None:
    """The candidates of a signal with these hints, empty if there are none; None if nobody knows the URL or wallet.

    A URL alone decides whose offers they are; without one the wallet does. ``capability`` is that of a BYOC job, which
    is the pipeline of its offers.
    """
    hint = url_key(url)
    found = index.urls.get(hint) if hint else index.wallets.get(wallet)
    if found is None:
        return None
    hints = (model, gpu, capability)
    known: Candidates | None = found.remembered.get(hints)
    if known is None:
        if len(found.remembered) >= _REMEMBERED_AT_MOST:
            found.remembered.clear()
        known = found.remembered[hints] = _candidates(found, bool(hint), *hints)
    return known


def nearest(times: Sequence[int], time: int) -> int:
    """The time of an offer that comes first in section 5.2: a prior one before a later one, but fresh before stale."""
    index = bisect_right(times, time)
    if index == 0:
        return times[0]
    prior = times[index - 1]
    if time - prior > TTL_MS and index < len(times) and times[index] - time <= TTL_MS:
        return times[index]
    return prior


def remoteness(snapshot: int, time: int) -> tuple[int, int]:
    """Freshness and distance of section 5.2. Recency decides nothing: what is equal in both is of one time."""
    distance = abs(time - snapshot)
    if distance == 0:
        freshness = 0
    elif distance <= TTL_MS:
        freshness = 1 if snapshot < time else 2
    else:
        freshness = 3 if snapshot < time else 4
    return freshness, distance


def _candidates(found: Offers, by_url: bool, model: str, gpu: str, capability: str) -> Candidates:
    wanted, pipeline = (key(model), key(gpu)), key(capability)
    compatible = [
        offer
        for offer in found.offers
        if (EMPTY in (wanted[0], offer.keys[0]) or offer.keys[0] == wanted[0]) and pipeline in (EMPTY, offer.keys[4])
    ] or found.identities
    by_canonical: dict[str, list[Offer]] = {}
    for offer in compatible:
        if offer.canonical:
            by_canonical.setdefault(offer.canonical, []).append(offer)
    return Candidates(
        best=_best(compatible, wanted),
        rivals=tuple(by_canonical.values()) if len(by_canonical) > 1 else (),
        addresses=frozenset(
            name for each in (*found.offers, *found.identities) for name in (each.canonical, each.local)
        ),
        by_url=by_url,
        wanted=wanted,
    )


def _best(offers: Sequence[Offer], wanted: tuple[str, str]) -> Sequence[Offer]:
    def rank(offer: Offer) -> tuple[bool, ...]:
        return tuple(hint == EMPTY or hint != part for hint, part in zip(wanted, offer.keys[::2], strict=False))

    least = min(map(rank, offers), default=())
    return sorted((offer for offer in offers if rank(offer) == least), key=_in_order)


def _in_order(offer: Offer) -> tuple[object, ...]:
    """Decides between snapshots that are equally near: the keys of section 5.2, then whatever else differs."""
    return offer.keys, offer.url, offer.pipeline, offer.model_id, offer.gpu_id


def _overlapping(rivals: Sequence[Sequence[Offer]]) -> bool:
    """Whether two canonical wallets were seen at one time, each from its first to its last snapshot."""
    spans = sorted(
        (min(offer.times[0] for offer in offers), max(offer.times[-1] for offer in offers)) for offers in rivals
    )
    return any(last >= following for (_, last), (following, _) in pairwise(spans))
