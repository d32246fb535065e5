"""Which capability snapshot a signal is attributed to, and how sure that is (spec/lifecycle.md section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, final

import attrs
import msgspec

from lpa_core.events.coercion import address
from lpa_core.lifecycle.capabilities import EMPTY, Capability, CapabilityIndex, Offer, Wallet, key

TTL_MS: Final = 86_400_000
"""How far a snapshot's time may lie from a signal's before it counts as stale."""

_REMEMBERED_AT_MOST = 1024


@final
class Attribution(msgspec.Struct, frozen=True):
    """The snapshot that was chosen. ``method`` and ``confidence`` become the ``gpu_attribution_*`` columns."""

    capability: Capability
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
        attributed, empty where there are none.
        """
        ...


@final
@attrs.frozen(slots=True, eq=False)
class _Plan:
    """What a wallet's offers come to for given hints, whatever the time."""

    best: Sequence[Offer]
    """The compatible offers that answer the hints best, in the order of their keys."""
    rivals: Sequence[Sequence[Offer]]
    """The compatible offers by canonical wallet, where there are several."""


@final
class NearestSnapshot:
    """The built-in policy: the nearest snapshot that answers the hints, unless two orchestrators could be meant.

    Over all snapshots of the wallet the one with the least tuple of section 5.2 wins. Its first three parts do not
    depend on the time, so offers are ranked by them once; of the best only the neighbours in time are compared.
    """

    def select(
        self, capabilities: CapabilityIndex, wallet: str, model: str, url: str, gpu: str, time: int
    ) -> Attribution | None:
        found = capabilities.wallet(wallet)
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
        best = plan.best
        if len(best) == 1:
            offer, snapshot = best[0], _nearest(best[0], time)
        elif best:
            offer, snapshot = min(
                ((offer, _nearest(offer, time)) for offer in best), key=lambda found: _distance(found[1], time)
            )
        else:
            return None
        return Attribution(offer.at(snapshot), *method(snapshot, time))


def method(snapshot: int, time: int) -> tuple[str, float]:
    """Method and confidence by how a snapshot's time lies to a signal's (section 5.4)."""
    distance = time - snapshot
    if distance == 0:
        return "exact_orchestrator_time_match", 1.0
    if 0 < distance <= TTL_MS:
        return "nearest_prior_snapshot", 0.9
    if -TTL_MS <= distance < 0:
        return "nearest_snapshot_within_ttl", 0.7
    return "proxy_address_join", 0.4


def _plan(wallet: Wallet, model: str, url: str, gpu: str) -> _Plan:
    wanted = (key(model), key(url), key(gpu))
    compatible = [
        offer for offer in wallet.offers.values() if EMPTY in (wanted[0], offer.model) or offer.model == wanted[0]
    ]

    def rank(offer: Offer) -> tuple[bool, ...]:
        offered = (offer.model, offer.url, offer.gpu)
        return tuple(hint == EMPTY or hint != part for hint, part in zip(wanted, offered, strict=True))

    best = min(map(rank, compatible), default=())
    by_canonical: dict[str, list[Offer]] = {}
    for offer in compatible:
        if offer.canonical != EMPTY:
            by_canonical.setdefault(address(offer.canonical), []).append(offer)
    return _Plan(
        best=sorted(
            (offer for offer in compatible if rank(offer) == best),
            key=lambda offer: (offer.model, offer.url, offer.gpu, offer.canonical, offer.pipeline),
        ),
        rivals=tuple(by_canonical.values()) if len(by_canonical) > 1 else (),
    )


def _ambiguous(rivals: Sequence[Sequence[Offer]], time: int) -> bool:
    """More than one canonical wallet was seen near ``time``."""
    first, last = time - TTL_MS, time + TTL_MS
    return sum(any(offer.seen_between(first, last) for offer in offers) for offers in rivals) > 1


def _nearest(offer: Offer, time: int) -> int:
    """The snapshot of an offer that comes first in the order of section 5.2: prior before later, unless stale."""
    prior = offer.last_until(time)
    if prior is not None and time - prior <= TTL_MS:
        return prior
    later = offer.first_after(time)
    if later is not None and (prior is None or later - time <= TTL_MS):
        return later
    assert prior is not None, "an offer was seen at least once"
    return prior


def _distance(snapshot: int, time: int) -> tuple[int, int, int]:
    """Freshness, distance and recency, the parts of the tuple that depend on the time."""
    distance = abs(time - snapshot)
    if distance == 0:
        freshness = 0
    elif distance <= TTL_MS:
        freshness = 1 if snapshot < time else 2
    else:
        freshness = 3 if snapshot < time else 4
    return freshness, distance, -snapshot
