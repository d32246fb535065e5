"""From an id to positions, sessions and jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, final

import attrs

from lpa_core.records import Position
from lpa_core.tables.reserved import TABLES_OF_JOBS
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE
from lpa_ops.trace.answer import TracedJob, TracedSession
from lpa_ops.trace.questions import Questions, position_of_row, utc, utc_or_none
from lpa_ops.trace.subject import TraceSubject

_EVER: Final = (-2_208_988_800_000, 10_413_791_999_999)
"""What DateTime64 holds: 1900 to 2299, epoch ms."""
_IDS: Final = ("stream_id", "request_id")


@final
@attrs.define
class LookedUp:
    """What belongs to an id: positions with the batch time of each, sessions and jobs."""

    batch_times: dict[Position, datetime] = attrs.field(factory=dict)
    sessions: list[TracedSession] = attrs.field(factory=list)
    jobs: list[TracedJob] = attrs.field(factory=list)

    def add(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            position = position_of_row(row)
            time = row["batch_time"]
            self.batch_times[position] = min(time, self.batch_times.get(position, time))

    @property
    def positions(self) -> list[Position]:
        """By batch time and position."""
        return sorted(self.batch_times, key=lambda position: (self.batch_times[position], position))


def look_up(questions: Questions, subject: TraceSubject) -> LookedUp:
    """Everything of an id of an event, stream, request, session or job. Raises the client's errors."""
    found = LookedUp()
    by_id: Mapping[str, object] = {"id": subject.id}
    found.add(questions.ask("by_key.sql", by_id))
    if "ignored_events" in questions.names:
        found.add(questions.ask("ignored_by_id.sql", by_id))
    is_event = bool(found.batch_times)
    if "fact_workflow_sessions" in questions.names:
        rows = questions.ask("sessions.sql", by_id)
        found.sessions = [_session(row) for row in rows]
        if rows:
            _add_events_of_sessions(questions, rows, found)
    if "fact_jobs" in questions.names:
        rows = questions.ask("jobs.sql", by_id)
        found.jobs = [_job(row) for row in rows]
        for row in rows:
            _add_events_of_job(questions, row, found)
    if not is_event:
        stream, request = subject.stream_and_request
        for table in (DLQ_TABLE.name, QUARANTINE_TABLE.name):
            named = {"one": _as_json(stream), "other": _as_json(request) if request else ""}
            found.add(questions.ask("naming_rejects.sql", named, table=table))
        if not found.sessions and not found.jobs:
            _add_typed(questions, found, subject)
    return found


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _add_events_of_sessions(questions: Questions, rows: Sequence[Mapping[str, Any]], found: LookedUp) -> None:
    ids = {
        "streams": [row["stream_id"].strip(" ") for row in rows],
        "requests": [row["request_id"].strip(" ") for row in rows],
        "orgs": [row["org"] for row in rows],
    }
    condition = (
        "trimBoth(stream_id) IN {streams:Array(String)} AND "
        "has(arrayZip({streams:Array(String)}, {requests:Array(String)}, {orgs:Array(String)}), "
        "(trimBoth(stream_id), trimBoth(request_id), toString(org)))"
    )
    tables = [table.name for table in questions.typed if set(_IDS) <= set(table.columns)]
    first, last = min(row["first_ms"] for row in rows), max(row["last_ms"] for row in rows)
    _add(questions, found, dict.fromkeys(tables, condition), ids, first, last)


def _add_events_of_job(questions: Questions, row: Mapping[str, Any], found: LookedUp) -> None:
    uid = row["id"].rpartition("|")[2]
    condition = (
        "request_id = {request:String} AND org = {org:String}"
        if row["request_id"]
        else "raw_event_uid = {uid:String} AND org = {org:String}"
    )
    tables = {table.name for table in questions.typed} & set(TABLES_OF_JOBS)
    having = {table.name for table in questions.typed if not row["request_id"] or "request_id" in table.columns}
    ids = {"request": row["request_id"], "uid": uid, "org": row["org"]}
    _add(questions, found, dict.fromkeys(tables & having, condition), ids, row["first_ms"], row["last_ms"])


def _add_typed(questions: Questions, found: LookedUp, subject: TraceSubject) -> None:
    """Events of a stream or request that has no facts yet."""
    stream, request = subject.stream_and_request
    conditions = dict(_conditions(questions, both=bool(request)))
    _add(questions, found, conditions, {"stream": stream, "request": request or stream}, *_EVER)


def _conditions(questions: Questions, *, both: bool) -> Iterator[tuple[str, str]]:
    tests = {"stream_id": "trimBoth(stream_id) = {stream:String}", "request_id": "request_id = {request:String}"}
    for table in questions.typed:
        some = [test for column, test in tests.items() if column in table.columns]
        if some and (not both or len(some) == len(tests)):
            yield table.name, (" AND " if both else " OR ").join(some)


def _add(
    questions: Questions,
    found: LookedUp,
    conditions: Mapping[str, str],
    ids: Mapping[str, object],
    first_ms: int,
    last_ms: int,
) -> None:
    if conditions:
        texts = [
            questions.text("events_naming.sql", table=name, condition=condition)
            for name, condition in conditions.items()
        ]
        found.add(questions.ask_text(" UNION ALL ".join(texts), {**ids, "first": first_ms, "last": last_ms}))


def _session(row: Mapping[str, Any]) -> TracedSession:
    return TracedSession(
        org=row["org"],
        id=row["id"],
        start=utc(row["start"]),
        end=utc_or_none(row["stop"]),
        outcome=row["outcome"],
        orchestrator=row["orchestrator"],
        pipeline=row["pipeline"],
        model=row["model"],
        attribution=row["attribution"],
        signals=row["signals"],
    )


def _job(row: Mapping[str, Any]) -> TracedJob:
    return TracedJob(
        org=row["org"],
        id=row["id"],
        received=utc_or_none(row["received"]),
        completed=utc_or_none(row["completed"]),
        outcome=row["outcome"],
        orchestrator=row["orchestrator"],
        pipeline=row["pipeline"],
        model=row["model"],
        error=row["error"],
    )
