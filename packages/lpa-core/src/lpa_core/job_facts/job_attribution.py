"""Which orchestrator a job is attributed to (docs/spec/producers.md section 5)."""

from __future__ import annotations

from typing import Final, NamedTuple, final

from lpa_core.lifecycle.attribution import NearestSnapshot
from lpa_core.lifecycle.attribution_state import UNATTRIBUTED, AttributionState, attributed, unattributed
from lpa_core.lifecycle.capabilities import CapabilityIndex, Offer, url_key


@final
class JobAttribution(NamedTuple):
    """``offer`` and the time of its snapshot (epoch ms) are there if ``state`` says that an orchestrator was found."""

    state: AttributionState
    offer: Offer | None = None
    snapshot_ts: int = 0


NOBODY: Final = JobAttribution(UNATTRIBUTED)

_POLICY: Final = NearestSnapshot()


def attribute(
    capabilities: CapabilityIndex, *, url: str, wallet: str, model: str, capability: str, time: int | None
) -> JobAttribution:
    """The attribution of a job as of ``time`` (epoch ms). It is by ``url`` if there is one, else by ``wallet``.

    ``model`` and ``capability`` are empty if the job names none.
    """
    if time is None or not (wallet or url_key(url)):
        return NOBODY
    found = _POLICY.select(capabilities, wallet, model, url, "", time, capability)
    if found is None:
        return JobAttribution(unattributed(capabilities, wallet, model, url, time, capability))
    if not found.offer.canonical:
        return NOBODY
    return JobAttribution(attributed(found, time), found.offer, found.snapshot_ts)
