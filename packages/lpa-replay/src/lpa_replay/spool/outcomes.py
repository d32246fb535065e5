"""What a run decided about each record."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, final

import msgspec

from lpa_core.orgs import NO_ORG
from lpa_core.records import Position


class Decision(StrEnum):
    PUBLISHED = "published"
    """It is sent through the pipeline again."""
    SKIPPED = "skipped"
    """It is left where it is; a later run may take it."""
    UNRECOVERABLE = "unrecoverable"
    """There is nothing that could be sent."""
    EXHAUSTED = "exhausted"
    """It was replayed as often as allowed, and goes to quarantine."""


ALREADY_STORED: Final = "already stored"
ERASED: Final = "erased"
REPEATED: Final = "another envelope or copy of it is in this run"
SUPERSEDED: Final = "a later attempt at it is in this run"
ALREADY_EXHAUSTED: Final = "abandoned by an earlier replay: it is in quarantine"
PASSES: Final = "passes"


@final
class ReplayDecision(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """One record of a run. A struct: there is one for each record.

    Times are epoch ms, None if nobody knows. ``forecast``, of a published record, is ``passes`` or the reason why
    today's validators would reject it again. ``typed_rows`` is how many it makes if it is stored. ``generation`` is how
    many replays the record itself names: of several copies the highest goes on. ``forecast_details`` says what is
    wrong with a record that would be rejected again, such as which field is missing.
    """

    number: int
    origin: Position
    record_ms: int | None
    event_ms: int | None
    event_type: str
    failure_class: str
    failure_reason: str
    decision: Decision
    why: str
    forecast: str
    dedup_key: str
    attempt: int
    typed_rows: int
    generation: int
    forecast_details: str = ""


@final
class Outgoing(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """A record as it is to be sent.

    ``value`` is JSON. ``quarantined``: it goes to quarantine instead, as an envelope, with its ``headers``. The only
    header of any other is ``traceparent``. ``org``: whose event it is where it goes.
    """

    value: bytes
    key: str
    origin: Position
    record_ms: int | None
    number: int
    quarantined: bool = False
    headers: list[tuple[str, str]] = []
    org: str = NO_ORG
