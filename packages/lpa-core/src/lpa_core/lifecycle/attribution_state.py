"""How an attribution came out: its status, the reason of it, and who could have been meant.

Rules: docs/spec/producers.md section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from lpa_core.lifecycle.attribution import Attribution
from lpa_core.lifecycle.candidates import candidates
from lpa_core.lifecycle.capabilities import EMPTY, TTL_MS, CapabilityIndex, Offer, url_key

_CANDIDATES_AT_MOST: Final = 8


class AttributionStatus(StrEnum):
    """Whether an orchestrator was found. The first three have one."""

    RESOLVED = "resolved"
    HARDWARE_LESS = "hardware_less"
    """The snapshot names no GPU."""
    STALE = "stale"
    """The snapshot is further from the signal than a day."""
    AMBIGUOUS = "ambiguous"
    """Several orchestrators could be meant."""
    UNRESOLVED = "unresolved"


class AttributionReason(StrEnum):
    """Why an attribution has its status."""

    MATCHED = "matched"
    MATCHED_WITHOUT_HARDWARE = "matched_without_hardware"
    STALE_CANDIDATE = "stale_candidate"
    AMBIGUOUS_CANDIDATES = "ambiguous_candidates"
    MISSING_CANDIDATE = "missing_candidate"
    LOCAL_ALIAS_PRESENT = "missing_uri_snapshot_local_alias_present"
    """Nobody was seen at the URL, but somebody has the wallet as a proxy."""
    ADDRESS_MATCH_PRESENT = "missing_uri_snapshot_address_match_present"
    """Nobody was seen at the URL, but somebody has the wallet as the canonical one."""


class AttributionState(NamedTuple):
    """The ``attribution_*`` columns.

    ``candidates``: ``wallet@url`` of those that could be meant, sorted, at most 8, joined by commas; empty unless the
    status is ambiguous.
    """

    status: AttributionStatus
    reason: AttributionReason
    candidates: str = ""


UNATTRIBUTED: Final = AttributionState(AttributionStatus.UNRESOLVED, AttributionReason.MISSING_CANDIDATE)
"""Of what names nobody, or nobody that is known."""

_RESOLVED: Final = AttributionState(AttributionStatus.RESOLVED, AttributionReason.MATCHED)
_HARDWARE_LESS: Final = AttributionState(AttributionStatus.HARDWARE_LESS, AttributionReason.MATCHED_WITHOUT_HARDWARE)
_STALE: Final = AttributionState(AttributionStatus.STALE, AttributionReason.STALE_CANDIDATE)
_LOCAL_ALIAS: Final = AttributionState(AttributionStatus.UNRESOLVED, AttributionReason.LOCAL_ALIAS_PRESENT)
_ADDRESS_MATCH: Final = AttributionState(AttributionStatus.UNRESOLVED, AttributionReason.ADDRESS_MATCH_PRESENT)


def attributed(attribution: Attribution, time: int) -> AttributionState:
    """The state of a signal of ``time`` (epoch ms) with this attribution."""
    if abs(time - attribution.snapshot_ts) > TTL_MS:
        return _STALE
    return _HARDWARE_LESS if attribution.offer.keys[2] == EMPTY else _RESOLVED


def unattributed(
    index: CapabilityIndex, wallet: str, model: str, url: str, time: int, capability: str = ""
) -> AttributionState:
    """The state of a signal of ``time`` (epoch ms) that was attributed to nobody. Arguments are those of a policy."""
    found = candidates(index, wallet, model, url, "", capability)
    if found is None:
        return _known_by_wallet(index, wallet) if url_key(url) else UNATTRIBUTED
    competing = found.competing(time)
    if not competing or found.choice(time):
        return UNATTRIBUTED
    names = _named([offer for offers in competing for offer in offers])
    return AttributionState(AttributionStatus.AMBIGUOUS, AttributionReason.AMBIGUOUS_CANDIDATES, names)


def _known_by_wallet(index: CapabilityIndex, wallet: str) -> AttributionState:
    offers = index.wallets[wallet].offers if wallet in index.wallets else ()
    if any(offer.local == wallet for offer in offers):
        return _LOCAL_ALIAS
    return _ADDRESS_MATCH if offers else UNATTRIBUTED


def _named(offers: Sequence[Offer]) -> str:
    names = {f"{offer.canonical}@{url_key(offer.url)}" for offer in offers}
    return ",".join(sorted(names)[:_CANDIDATES_AT_MOST])
