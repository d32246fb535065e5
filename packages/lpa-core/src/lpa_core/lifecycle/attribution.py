"""Which capability snapshot a signal is attributed to, and how sure that is.

Rules: docs/spec/lifecycle.md section 5, docs/spec/producers.md section 5.
"""

from __future__ import annotations

from typing import Protocol, final

import msgspec

from lpa_core.lifecycle.candidates import candidates, nearest, remoteness
from lpa_core.lifecycle.capabilities import TTL_MS, CapabilityIndex, Offer


@final
class Attribution(msgspec.Struct, frozen=True, gc=False):
    """What was chosen, with the time of its snapshot (epoch ms).

    ``method`` and ``confidence`` become the ``gpu_attribution_*`` columns. ``names_another_wallet``: the signal was
    attributed by its URL, and nobody at that URL has the wallet that the signal names.
    """

    offer: Offer
    snapshot_ts: int
    method: str
    confidence: float
    names_another_wallet: bool = False


class AttributionPolicy(Protocol):
    """Chooses the snapshot that a signal is attributed to.

    Facts are a function of stored data: the answer depends on the arguments alone, not on the clock, on chance, nor on
    what was asked before.
    """

    def select(
        self, capabilities: CapabilityIndex, wallet: str, model: str, url: str, gpu: str, time: int
    ) -> Attribution | None:
        """The attribution of a signal of ``time`` (epoch ms) that names ``wallet``, or None to attribute nothing.

        With None the session keeps the attribution that it had, unless the signal names another URL.

        ``wallet`` is trimmed and in lower case, and empty if a signal names a ``url`` only. ``model``, ``url`` and
        ``gpu`` are hints, as they were sent or last attributed, empty if there are none.
        """
        ...


@final
class NearestSnapshot:
    """The built-in policy: the nearest snapshot that fits the hints, unless two orchestrators could be meant.

    Over all snapshots of the URL, or of the wallet if no URL is named, the one with the least tuple of section 5.2
    wins. The first parts of it do not depend on the time, so offers are ranked by them once, and of the best only the
    neighbours in time are compared.
    """

    def select(
        self,
        capabilities: CapabilityIndex,
        wallet: str,
        model: str,
        url: str,
        gpu: str,
        time: int,
        capability: str = "",
    ) -> Attribution | None:
        """As the policy says. ``capability`` is that of a BYOC job, empty for everything else."""
        found = candidates(capabilities, wallet, model, url, gpu, capability)
        offers = () if found is None else found.choice(time)
        if found is None or not offers:
            return None
        offer = offers[0]
        snapshot = nearest(offer.times, time)
        if len(offers) > 1:
            for other in offers:
                candidate = nearest(other.times, time)
                if remoteness(candidate, time) < remoteness(snapshot, time):
                    offer, snapshot = other, candidate
        another = bool(wallet) and wallet not in found.addresses
        return Attribution(offer, snapshot, *method(snapshot, time), another)


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
