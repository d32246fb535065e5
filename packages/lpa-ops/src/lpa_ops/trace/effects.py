"""What records did in sessions and jobs: which columns of facts come from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from lpa_core.job_facts.job_rows import JobType, job_id
from lpa_core.lifecycle.signals import session_id
from lpa_core.records import Position
from lpa_core.tables.reserved import TABLES_OF_JOBS
from lpa_ops.trace.answer import TracedEffect, TracedRecord
from lpa_ops.trace.questions import Questions, Row, milliseconds

_EVENT_UIDS: Final = ("source_first_event_uid", "source_last_event_uid")
_SIGNALS: Final = ("ai_stream_status", "stream_trace_events", "ai_stream_events")

Key = tuple[str, str]
"""Org and id."""


def with_effects(
    questions: Questions, records: Mapping[Position, TracedRecord], typed: Mapping[Position, Sequence[Row]]
) -> dict[Position, TracedRecord]:
    """The records with what each did. Raises the client's errors."""
    sessions = {
        position: {session_id(row["stream_id"], row["request_id"], row["uid"]): row for row in rows}
        for position, found in typed.items()
        if (rows := [row for row in found if row["table_name"] in _SIGNALS])
    }
    jobs = {
        position: {
            job_id(kind, row["request_id"], row["uid"]): row
            for row in found
            if row["table_name"] in TABLES_OF_JOBS
            for kind in JobType
        }
        for position, found in typed.items()
    }
    session_facts, segments = _session_facts(questions, {name for some in sessions.values() for name in some})
    job_facts = _job_facts(questions, {name for some in jobs.values() for name in some})
    found = dict(records)
    for position, record in records.items():
        effects = [
            _of_session((record.org, name), row, session_facts, segments)
            for name, row in sessions.get(position, {}).items()
        ]
        effects += [
            TracedEffect("job", *key, derived=True, changes=list(_times(job_facts[key], row)))
            for name, row in jobs.get(position, {}).items()
            if (key := (record.org, name)) in job_facts
        ]
        found[position] = attrs.evolve(record, effects=effects)
    return found


def _session_facts(questions: Questions, ids: set[str]) -> tuple[Mapping[Key, Row], Mapping[Key, Sequence[Row]]]:
    if not ids or "fact_workflow_sessions" not in questions.names:
        return {}, {}
    asked = {"ids": sorted(ids)}
    facts = {(str(row["org"]), row["workflow_session_id"]): row for row in questions.ask("session_facts.sql", asked)}
    segments: dict[Key, list[Row]] = {}
    for row in questions.ask("segment_facts.sql", asked):
        segments.setdefault((row["org"], row["workflow_session_id"]), []).append(row)
    return facts, segments


def _job_facts(questions: Questions, ids: set[str]) -> Mapping[Key, Row]:
    if not ids or "fact_jobs" not in questions.names:
        return {}
    return {(row["org"], row["job_id"]): row for row in questions.ask("job_facts.sql", {"ids": sorted(ids)})}


def _of_session(key: Key, row: Row, facts: Mapping[Key, Row], segments: Mapping[Key, Sequence[Row]]) -> TracedEffect:
    fact = facts.get(key)
    if fact is None:
        return TracedEffect("session", *key, derived=False)
    changes = [name for name in _EVENT_UIDS if fact[name] == row["uid"]]
    changes += _times(fact, row)
    for segment in segments.get(key, ()):
        if segment["start_ms"] in _own(row):
            changes.append(f"segment {segment['segment_index']} segment_start_ts")
        if segment["source_event_uid"] == row["uid"]:
            changes.append(f"segment {segment['segment_index']} source_event_uid")
    return TracedEffect("session", *key, derived=True, changes=changes)


def _times(fact: Mapping[str, Any], row: Row) -> Iterator[str]:
    """Columns of a fact that hold a time of this event."""
    for name, value in fact.items():
        if name.endswith(("_ts", "_at")) and isinstance(value, datetime) and milliseconds(value) in _own(row):
            yield name


def _own(row: Row) -> set[int]:
    return {*row["times"], *row["own_times"]}
