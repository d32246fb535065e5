"""Which capability snapshot a signal is attributed to, and how sure that is (docs/spec/lifecycle.md section 5)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol, final

import attrs
import msgspec

from lpa_core.lifecycle.capabilities import EMPTY, TTL_MS, CapabilityIndex, Offer, Wallet, key

_REMEMBERED_AT_MOST = 1024


@final
class Attribution(msgspec.Struct, frozen=True, gc=False):
    """What was chosen, with the time of its snapshot (epoch ms).

    ``method`` and ``confidence`` become the ``gpu_attribution_*`` columns.
    """

    offer: Offer
    snapshot_ts: int
    method: str
    confidence: float


class AttributionPolicy(Protocol):
    """Chooses the snapshot that a signal is attributed to.

    Facts are a function of stored data: the answer depends on the arguments alone, not on the clock, on chance, nor on
    what was asked before.
    """

    def select(
        self, capabilities: CapabilityIndex, wallet: str, model: str, url: str, gpu: str, time: int
    ) -> Attribution | None:
        """The attribution of a signal of ``time`` (epoch ms) that names ``wallet``, or None to keep the one before.

        ``wallet`` is trimmed and in lower case. ``model``, ``url`` and ``gpu`` are hints, as they were sent or last
        attributed, empty if there are none.
        """
        ...


@final
@attrs.frozen(slots=True, eq=False)
class _Plan:
    """What a wallet's offers come to for given hints, whatever the time."""

    best: Sequence[Offer]
    """The compatible offers that fit the hints best, in the order of their keys."""
    rivals: Sequence[Sequence[Offer]]
    """The compatible offers by canonical wallet, if there are several wallets."""


@final
class NearestSnapshot:
    """The built-in policy: the nearest snapshot that fits the hints, unless two orchestrators could be meant.

    Over all snapshots of the wallet the one with the least tuple of section 5.2 wins. The first three parts of it do
    not depend on the time, so offers are ranked by them once, and of the best only the neighbours in time are compared.
    """

    def select(
        self, capabilities: CapabilityIndex, wallet: str, model: str, url: str, gpu: str, time: int
    ) -> Attribution | None:
        found = capabilities.wallets.get(wallet)
        if found is None:
            return None
        hints = (model, url, gpu)
        plan: _Plan | None = found.remembered.get(hints)
        if plan is None:
            if len(found.remembered) >= _REMEMBERED_AT_MOST:
                found.remembered.clear()
            plan = found.remembered[hints] = _plan(found, *hints)
        if plan.rivals and _ambiguous(plan.rivals, time):
            return None
        if not plan.best:
            return None
        offer = plan.best[0]
        snapshot = _nearest(offer.times, time)
        if len(plan.best) > 1:
            for other in plan.best:
                candidate = _nearest(other.times, time)
                if _remoteness(candidate, time) < _remoteness(snapshot, time):
                    offer, snapshot = other, candidate
        return Attribution(offer, snapshot, *method(snapshot, time))


def method(snapshot: int, time: int) -> tuple[str, float]:
    """Method and confidence by how a snapshot's time lies to a signal's (section 5.4)."""
    age = time - snapshot
    if age == 0:
        return "exact_orchestrator_time_match", 1.0
    if 0 < age <= TTL_MS:
        return "nearest_prior_snapshot", 0.9
    if -TTL_MS <= age < 0:
        return "nearest_snapshot_within_ttl", 0.7
    return "proxy_address_join", 0.4


def _plan(wallet: Wallet, model: str, url: str, gpu: str) -> _Plan:
    wanted = (key(model), key(url), key(gpu))

    def rank(offer: Offer) -> tuple[bool, ...]:
        return tuple(hint == EMPTY or hint != part for hint, part in zip(wanted, offer.keys, strict=False))

    compatible = [offer for offer in wallet.offers if EMPTY in (wanted[0], offer.keys[0]) or offer.keys[0] == wanted[0]]
    best = min(map(rank, compatible), default=())
    by_canonical: dict[str, list[Offer]] = {}
    for offer in compatible:
        if offer.canonical:
            by_canonical.setdefault(offer.canonical, []).append(offer)
    return _Plan(
        best=sorted((offer for offer in compatible if rank(offer) == best), key=_in_order),
        rivals=tuple(by_canonical.values()) if len(by_canonical) > 1 else (),
    )


def _in_order(offer: Offer) -> tuple[object, ...]:
    """Decides between snapshots that are equally near: the keys of section 5.2, then whatever else differs."""
    return offer.keys, offer.url, offer.pipeline, offer.model_id, offer.gpu_id


def _ambiguous(rivals: Sequence[Sequence[Offer]], time: int) -> bool:
    """Whether more than one canonical wallet was seen near ``time``."""
    first, last = time - TTL_MS, time + TTL_MS
    return sum(any(offer.seen_between(first, last) for offer in offers) for offers in rivals) > 1


def _nearest(times: Sequence[int], time: int) -> int:
    """The time of an offer that comes first in section 5.2: a prior one before a later one, but fresh before stale."""
    index = bisect_right(times, time)
    if index == 0:
        return times[0]
    prior = times[index - 1]
    if time - prior > TTL_MS and index < len(times) and times[index] - time <= TTL_MS:
        return times[index]
    return prior


def _remoteness(snapshot: int, time: int) -> tuple[int, int]:
    """Freshness and distance of section 5.2. Recency decides nothing: what is equal in both is of one time."""
    distance = abs(time - snapshot)
    if distance == 0:
        freshness = 0
    elif distance <= TTL_MS:
        freshness = 1 if snapshot < time else 2
    else:
        freshness = 3 if snapshot < time else 4
    return freshness, distance
