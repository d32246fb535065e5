"""What ``lpa flink`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from lpa_core.commands.listing import ListColumn, print_block, print_list
from lpa_core.commands.output import console
from lpa_flink.states import FlinkState, SavepointNote
from lpa_flink.status import FlinkStatus, RunningJob
from lpa_flink.submission import Submitted


def submitted_as_json(submitted: Submitted) -> dict[str, Any]:
    return {
        "job_id": submitted.job_id,
        **msgspec.to_builtins(submitted.identity),
        "state": submitted.state.location if submitted.state else None,
    }


def note_as_json(note: SavepointNote) -> dict[str, Any]:
    return {
        "job_id": note.job.job_id,
        **msgspec.to_builtins(note.job.identity),
        "created": _time(note.created_ms),
        "checkpoint_id": note.checkpoint_id,
        "drained": note.drained,
        "partitions": msgspec.to_builtins(note.partitions),
    }


def state_as_json(state: FlinkState) -> dict[str, Any]:
    if state.note is not None:
        said = note_as_json(state.note)
    elif state.job is not None:
        said = {"job_id": state.job.job_id, **msgspec.to_builtins(state.job.identity), "checkpoint_id": state.number}
    else:
        said = {}
    kind = "savepoint" if state.savepoint else "checkpoint"
    return {"location": state.location, "kind": kind, **said, "problem": state.problem}


def print_states(states: Sequence[FlinkState]) -> None:
    columns = (
        "location",
        "created",
        "job",
        "topic",
        "version",
        ListColumn("number", right=True),
        ListColumn("note", prose=True),
    )
    print_list(console(), columns, [_row(state) for state in states])


def _row(state: FlinkState) -> Sequence[str]:
    identity = state.job.identity if state.job else None
    return (
        state.location,
        _time(state.note.created_ms) if state.note else "",
        identity.name if identity else "",
        ",".join(identity.topics) if identity else "",
        identity.version if identity else "",
        "" if state.number is None else str(state.number),
        state.problem or ("drained: no job goes on with it" if state.note and state.note.drained else ""),
    )


def status_as_json(status: FlinkStatus) -> dict[str, Any]:
    running, last = status.running, status.last
    return {
        "address": status.address,
        "flink_version": status.cluster.flink_version,
        "taskmanagers": status.cluster.taskmanagers,
        "slots": status.cluster.slots_total,
        "slots_available": status.cluster.slots_available,
        "name": status.name,
        "job": None if running is None else _running_as_json(running),
        "last_job": None if last is None else {"job_id": last.id, "state": last.state, "why": status.last_exception},
    }


def _running_as_json(running: RunningJob) -> dict[str, Any]:
    completed = running.checkpoints.latest.completed
    return {
        "job_id": running.job.id,
        "state": running.job.state,
        "started": _time(running.job.start_time),
        "parallelism": max((vertex.parallelism for vertex in running.job.vertices), default=0),
        "restarts": running.restarts,
        "waiting_records": running.waiting,
        "lag_records": running.lag,
        "checkpoints": {
            "completed": running.checkpoints.counts.completed,
            "failed": running.checkpoints.counts.failed,
            "newest": completed.external_path if completed else None,
            "age_seconds": running.checkpoint_age_seconds,
            "failure": running.checkpoints.failure,
        },
        "exception": running.exception,
        "parameters": dict(running.parameters),
    }


def print_status(status: FlinkStatus) -> None:
    cluster = status.cluster
    print_block(
        console(),
        f"Flink {cluster.flink_version} at {status.address}",
        [
            ("task managers", str(cluster.taskmanagers)),
            ("slots", f"{cluster.slots_available} of {cluster.slots_total} free"),
        ],
    )
    if status.running is not None:
        _print_running(status.running)
    elif status.last is not None:
        why = [("why", status.last_exception)] if status.last_exception else []
        print_block(console(), f"The job {status.name} does not run", [("last", _last(status)), *why])
    else:
        print_block(console(), f"The job {status.name} does not run", [("next", "`lpa flink submit` starts it")])


def _last(status: FlinkStatus) -> str:
    return "" if status.last is None else f"{status.last.id} {status.last.state}"


def _print_running(running: RunningJob) -> None:
    checkpoints, completed = running.checkpoints, running.checkpoints.latest.completed
    fields = [
        ("state", running.job.state),
        ("id", running.job.id),
        ("started", _time(running.job.start_time)),
        ("parallelism", str(max((vertex.parallelism for vertex in running.job.vertices), default=0))),
        ("restarts", _known(running.restarts)),
        ("lag", f"{_known(running.lag)} records"),
        ("waiting", f"{_known(running.waiting)} records, for a checkpoint"),
        ("checkpoints", f"{checkpoints.counts.completed} completed, {checkpoints.counts.failed} failed"),
        ("newest", f"{completed.external_path}, {running.checkpoint_age_seconds:,.0f} s ago" if completed else "none"),
        ("failure", checkpoints.failure),
        ("exception", running.exception),
        *running.parameters.items(),
    ]
    print_block(console(), f"The job {running.job.name}", fields)


def _known(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
