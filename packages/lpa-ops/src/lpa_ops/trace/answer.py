"""What a trace answers: records with all that became of them, sessions, jobs, and what could not be asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import final

import attrs

from lpa_core.records import Position


class Fate(StrEnum):
    """Where a record is now."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    DEAD_LETTER = "dead letter"
    IGNORED = "ignored"
    ERASED = "erased"
    NO_RECORD = "no record"
    """A known gap: a consumer is given nothing at this offset."""
    NOT_READ = "not read"
    """Before the place where reading began."""
    UNKNOWN = "unknown"
    """No table knows the position."""


@final
@attrs.frozen
class TracedBlock:
    """Rows of the record in one table. ``token`` names the block that brought them; empty if it cannot be told."""

    table: str
    rows: int
    token: str = ""


@final
@attrs.frozen
class TracedRange:
    """The offsets, ``end`` exclusive, whose rows have the record's batch time. ``batch_time`` is their row time."""

    start: int
    end: int
    batch_time: datetime


@final
@attrs.frozen
class TracedFailure:
    """Why a record was rejected. ``withdrawn_from``: tables that had taken its rows before the sink refused it."""

    stage: str
    failure_class: str
    reason: str
    details: str
    withdrawn_from: Sequence[str] = ()


@final
@attrs.frozen
class TracedClaim:
    """Who owns a dedup key, as the raw table tells: the first position that is stored with it.

    ``owner`` is None if no event of that key is stored. ``expires`` is when the key is free again.
    """

    key: str
    strategy: str
    owner: Position | None = None
    claimed: datetime | None = None
    expires: datetime | None = None


@final
@attrs.frozen
class TracedReplay:
    """A replay that took the record, or the record that it was made of.

    ``outcome`` is of the run, ``result`` of its verification; the latter is empty before.
    """

    replay_id: str
    outcome: str
    why: str
    forecast: str
    result: str
    result_reason: str
    attempt: int
    state: str
    started_at: datetime | None
    started_by: str


@final
@attrs.frozen
class TracedEffect:
    """What the record did in a session or job. ``kind`` is ``session`` or ``job``.

    ``derived``: whether there is a fact of that id. ``changes`` names columns of facts that come from this record.
    """

    kind: str
    org: str
    id: str
    derived: bool
    changes: Sequence[str] = ()


@final
@attrs.frozen(kw_only=True)
class TracedRecord:
    """One position. Times are UTC; what is not known is None, empty or 0.

    Attributes:
        payload: the beginning, at most 4,096 characters, in ``payload_encoding`` (json or base64).
        payload_size: bytes of the whole record.
        origin: where the record was first read from, if this is a copy that a replay sent.
        gave_up: replays sent it as often as allowed.
        ignore_reason: the rule; for a record that is not kept, every rule that its range has.
        archive_file: path of the archive's file whose name covers the record.
        traceparent: the record's header of that name (W3C Trace Context): kept with rejects, and in an archive.
        remark: what else is known of a position that no table has.
    """

    position: Position
    fate: Fate
    org: str = ""
    event_id: str = ""
    event_type: str = ""
    event_timestamp: datetime | None = None
    record_timestamp: datetime | None = None
    payload: str = ""
    payload_encoding: str = ""
    payload_size: int = 0
    ignore_reason: str = ""
    failure: TracedFailure | None = None
    claim: TracedClaim | None = None
    range: TracedRange | None = None
    blocks: Sequence[TracedBlock] = ()
    origin: Position | None = None
    replay_id: str = ""
    attempt: int = 0
    gave_up: bool = False
    replays: Sequence[TracedReplay] = ()
    effects: Sequence[TracedEffect] = ()
    archive_file: str = ""
    traceparent: str = ""
    remark: str = ""


@final
@attrs.frozen
class TracedSession:
    """A session's fact in short. ``outcome`` is success, excused, unexcused or not counted."""

    org: str
    id: str
    start: datetime
    end: datetime | None
    outcome: str
    orchestrator: str
    pipeline: str
    model: str
    attribution: str
    signals: int


@final
@attrs.frozen
class TracedJob:
    """A job's fact in short."""

    org: str
    id: str
    received: datetime | None
    completed: datetime | None
    outcome: str
    orchestrator: str
    pipeline: str
    model: str
    error: str


@final
@attrs.frozen
class Trace:
    """All that is known of a subject.

    Attributes:
        asked: the id or position, as it was given.
        records: by batch time and position; those without a batch time last.
        more_records: that belong to the subject and were not looked at.
        not_asked: what could not be asked, and why; a line each.
    """

    asked: str
    records: Sequence[TracedRecord]
    more_records: int = 0
    sessions: Sequence[TracedSession] = ()
    jobs: Sequence[TracedJob] = ()
    not_asked: Sequence[str] = ()

    @property
    def found(self) -> bool:
        """Whether anything but an unknown position was found."""
        return bool(self.sessions or self.jobs or any(each.fate is not Fate.UNKNOWN for each in self.records))
