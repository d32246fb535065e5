"""From an id to positions, sessions and jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, final

import attrs

from lpa_core.records import Position
from lpa_core.tables.reserved import TABLES_OF_JOBS
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE
from lpa_ops.trace.answer import TracedJob, TracedSession
from lpa_ops.trace.questions import Questions, Row, position_of_row, side_by_side, utc, utc_or_none
from lpa_ops.trace.subject import TraceSubject

_EVER: Final = (-2_208_988_800_000, 10_413_791_999_999)
"""What DateTime64 holds: 1900 to 2299, epoch ms."""
_IDS: Final = ("stream_id", "request_id")
_MOST_FACTS: Final = 100
"""Sessions or jobs of one id that are looked at."""


@final
@attrs.define
class LookedUp:
    """What belongs to an id: positions with the batch time of each, sessions and jobs.

    ``left_out`` says of what there is more, a line each.
    """

    batch_times: dict[Position, datetime] = attrs.field(factory=dict)
    sessions: list[TracedSession] = attrs.field(factory=list)
    jobs: list[TracedJob] = attrs.field(factory=list)
    left_out: list[str] = attrs.field(factory=list)

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

    def ask_if_there(table: str, file: str) -> list[dict[str, Any]]:
        return questions.ask(file, {**by_id, "most": _MOST_FACTS + 1}) if table in questions.names else []

    of_key, sessions, jobs, ignored = side_by_side(
        lambda: questions.ask("by_key.sql", by_id),
        lambda: ask_if_there("fact_workflow_sessions", "sessions.sql"),
        lambda: ask_if_there("fact_jobs", "jobs.sql"),
        lambda: ask_if_there("ignored_events", "ignored_by_id.sql"),
    )
    found.left_out = [
        f"{what} beyond the first {_MOST_FACTS}: trace one of them by its own id"
        for what, rows in (("sessions", sessions), ("jobs", jobs))
        if len(rows) > _MOST_FACTS
    ]
    sessions, jobs = sessions[:_MOST_FACTS], jobs[:_MOST_FACTS]
    found.add([*of_key, *ignored])
    found.sessions, found.jobs = list(map(_session, sessions)), list(map(_job, jobs))
    asks = [partial(_events_of_job, questions, row) for row in jobs]
    if sessions:
        asks.append(partial(_events_of_sessions, questions, sessions))
    if not found.batch_times:  # else it is an event's
        stream, request = subject.stream_and_request
        named = {"one": _as_json(stream), "other": _as_json(request) if request else ""}
        tables = (DLQ_TABLE.name, QUARANTINE_TABLE.name)
        asks += [partial(questions.ask, "naming_rejects.sql", named, table=table) for table in tables]
        if not sessions and not jobs:
            asks.append(partial(_events_without_facts, questions, subject))
    for rows in side_by_side(*asks):
        found.add(rows)
    return found


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _events_of_sessions(questions: Questions, rows: Sequence[Row]) -> list[dict[str, Any]]:
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
    return _events(questions, dict.fromkeys(tables, condition), ids, first, last)


def _events_of_job(questions: Questions, row: Row) -> list[dict[str, Any]]:
    uid = row["id"].rpartition("|")[2]
    condition = (
        "request_id = {request:String} AND org = {org:String}"
        if row["request_id"]
        else "raw_event_uid = {uid:String} AND org = {org:String}"
    )
    tables = {table.name for table in questions.typed} & set(TABLES_OF_JOBS)
    having = {table.name for table in questions.typed if not row["request_id"] or "request_id" in table.columns}
    ids = {"request": row["request_id"], "uid": uid, "org": row["org"]}
    return _events(questions, dict.fromkeys(tables & having, condition), ids, row["first_ms"], row["last_ms"])


def _events_without_facts(questions: Questions, subject: TraceSubject) -> list[dict[str, Any]]:
    """Events of a stream or request that has no facts yet."""
    stream, request = subject.stream_and_request
    conditions = dict(_conditions(questions, both=bool(request)))
    return _events(questions, conditions, {"stream": stream, "request": request or stream}, *_EVER)


def _conditions(questions: Questions, *, both: bool) -> Iterator[tuple[str, str]]:
    tests = {"stream_id": "trimBoth(stream_id) = {stream:String}", "request_id": "request_id = {request:String}"}
    for table in questions.typed:
        some = [test for column, test in tests.items() if column in table.columns]
        if some and (not both or len(some) == len(tests)):
            yield table.name, (" AND " if both else " OR ").join(some)


def _events(
    questions: Questions, conditions: Mapping[str, str], ids: Mapping[str, object], first_ms: int, last_ms: int
) -> list[dict[str, Any]]:
    if not conditions:
        return []
    texts = [
        questions.text("events_naming.sql", table=name, condition=condition) for name, condition in conditions.items()
    ]
    return questions.ask_text(" UNION ALL ".join(texts), {**ids, "first": first_ms, "last": last_ms})


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
