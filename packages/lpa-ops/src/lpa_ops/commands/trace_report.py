"""A trace for people: a block for each record, and a line for each thing that became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import Console

from lpa_core.commands.listing import Cell, print_block, print_paragraph
from lpa_core.commands.output import folded, plain
from lpa_core.counted import counted
from lpa_ops.dead_letters.payload import payload_text, without_marks
from lpa_ops.trace.answer import Fate, Trace, TracedClaim, TracedEffect, TracedJob, TracedRecord, TracedSession
from lpa_ops.trace.subject import shown_position

_SHOWN_OF_A_PAYLOAD: Final = 200
_FATES: Final = {
    Fate.ACCEPTED: "accepted: its event is stored",
    Fate.DUPLICATE: "duplicate: it is in quarantine",
    Fate.DEAD_LETTER: "dead letter",
    Fate.IGNORED: "ignored: a rule passes it over",
    Fate.ERASED: "erased: `lpa erase run` took it out",
    Fate.NO_RECORD: "no record: a transaction's end, aborted, or compacted away",
    Fate.NOT_READ: "not read: reading began after it",
    Fate.UNKNOWN: "unknown: no table has this position",
}


def print_trace(trace: Trace, console: Console) -> None:
    """Print sessions and jobs first, then records in their order, then what could not be asked."""
    for session in trace.sessions:
        print_block(console, plain(f"session {session.id}", "bold"), _of_session(session))
    for job in trace.jobs:
        print_block(console, plain(f"job {job.id}", "bold"), _of_job(job))
    for record in trace.records:
        print_block(console, plain(shown_position(record.position), "bold"), _of_record(record))
    if trace.more_records:
        more = counted(trace.more_records, "more record belongs", "more records belong")
        print_paragraph(console, f"{more} to it: --limit shows more")
    if not trace.records and not trace.found:
        print_paragraph(console, plain(f"Nothing is known of {trace.asked}: no table has such an id"))
    for line in trace.not_asked:
        print_paragraph(console, plain(f"not asked: {line}"), indent="  ")


def _of_session(session: TracedSession) -> Iterator[tuple[str, Cell]]:
    yield "org", session.org
    yield "time", f"{_time(session.start)} to {_time(session.end) or 'now'}; {counted(session.signals, 'signal')}"
    yield "outcome", session.outcome
    yield "served by", ", ".join(filter(None, (session.orchestrator, session.pipeline, session.model))) or "nobody"
    yield "attribution", session.attribution


def _of_job(job: TracedJob) -> Iterator[tuple[str, Cell]]:
    yield "org", job.org
    yield "time", f"{_time(job.received) or 'not known'} to {_time(job.completed) or 'now'}"
    yield "outcome", "; ".join(filter(None, (job.outcome, job.error)))
    yield "served by", ", ".join(filter(None, (job.orchestrator, job.pipeline, job.model))) or "nobody"


def _of_record(record: TracedRecord) -> Iterator[tuple[str, Cell]]:
    yield "verdict", _FATES[record.fate]
    yield "remark", record.remark
    if record.ignore_reason:
        yield "rule", record.ignore_reason
    if record.failure is not None:
        failure = record.failure
        details = f": {failure.details}" if failure.details else ""
        yield "reason", f"{failure.failure_class} {failure.reason}{details} (stage {failure.stage})"
        yield "withdrawn", ", ".join(f"from {name}" for name in failure.withdrawn_from)
    yield "org", record.org
    yield "event", " ".join(filter(None, (record.event_type, record.event_id)))
    times = {"event": record.event_timestamp, "record": record.record_timestamp}
    yield "time", "; ".join(f"{name} {_time(time)}" for name, time in times.items() if time is not None)
    yield "traceparent", record.traceparent
    if record.payload:
        letter = {"payload_body": record.payload, "payload_encoding": record.payload_encoding}
        yield "payload", _payload(without_marks(payload_text(letter)), record.payload_size)
    if record.claim is not None:
        yield "claim", _claim(record, record.claim)
    if record.range is not None:
        offsets = counted(record.range.end - record.range.start, "offset")
        span = f"{record.range.start} to {record.range.end - 1} ({offsets})"
        yield "range", f"{span}, batch time {_time(record.range.batch_time)}"
    for block in record.blocks:
        token = f", token {block.token}" if block.token else ""
        yield "block", f"{block.table}: {counted(block.rows, 'row')}{token}"
    if record.origin is not None:
        yield "copy of", f"{shown_position(record.origin)}, by replay {record.replay_id}, attempt {record.attempt}"
    yield from _replays(record)
    if record.gave_up:
        yield "given up", "replays sent it as often as allowed: it is in quarantine, too"
    for effect in record.effects:
        yield effect.kind, _effect(effect)
    yield "archive", record.archive_file


def _replays(record: TracedRecord) -> Iterator[tuple[str, Cell]]:
    for replay in record.replays:
        outcome = ": ".join(filter(None, (replay.outcome, replay.why)))
        forecast = f", forecast {replay.forecast}" if replay.forecast else ""
        result = ": ".join(filter(None, (replay.result or "not verified", replay.result_reason)))
        yield "replay", f"{replay.replay_id}: {outcome} (attempt {replay.attempt}{forecast}); {result}"


def _payload(text: str, size: int) -> Cell:
    if len(text) <= _SHOWN_OF_A_PAYLOAD and len(text.encode(errors="replace")) >= size:
        return folded(text)
    return folded(f"{text[:_SHOWN_OF_A_PAYLOAD]} ... ({size:,} bytes)")


def _claim(record: TracedRecord, claim: TracedClaim) -> str:
    key = f"{claim.key} ({claim.strategy})" if claim.strategy else claim.key
    if claim.owner is None:
        return f"{key}: no stored event has this key"
    until = f"since {_time(claim.claimed)}, until {_time(claim.expires)}"
    if claim.owner == record.position:
        return f"{key}: this record owns it, {until}"
    return f"{key}: {shown_position(claim.owner)} owns it, {until}"


def _effect(effect: TracedEffect) -> str:
    of = f"{effect.id} of {effect.org}" if effect.org else effect.id
    if not effect.derived:
        return f"{of}: no facts yet; `lpa materialize` derives them"
    return f"{of}: {_changes(effect.changes)}"


def _changes(changes: Sequence[str]) -> str:
    return f"gave {', '.join(changes)}" if changes else "counted; no time or segment of the facts is of this record"


def _time(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d}"
