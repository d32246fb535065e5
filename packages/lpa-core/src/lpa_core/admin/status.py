"""The job as JSON: the parts of Flink's REST API that deployment scripts read."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

from lpa_core.admin.job import AdministeredJob, JobState, PartitionStatus, SavepointStatus

_VERSION: Final = version("lpa-core")
_TASK_STATES: Final = (
    "created",
    "scheduled",
    "deploying",
    "running",
    "finished",
    "canceling",
    "canceled",
    "failed",
    "reconciling",
    "initializing",
)


def overview(job: AdministeredJob) -> dict[str, Any]:
    """This process seen as a cluster: one task manager with one slot and one job."""
    state = job.state()
    return {
        "taskmanagers": 1,
        "slots-total": 1,
        "slots-available": int(state.ended),
        "jobs-running": int(not state.ended),
        "jobs-finished": int(state is JobState.FINISHED),
        "jobs-cancelled": int(state is JobState.CANCELED),
        "jobs-failed": int(state is JobState.FAILED),
        "version": _VERSION,
    }


def jobs_overview(job: AdministeredJob, now_ms: int) -> dict[str, Any]:
    """All jobs: the one there is. Its tasks are the partitions that it holds."""
    return {"jobs": [{**_summary(job, now_ms), "tasks": _tasks(job)}]}


def details(job: AdministeredJob, now_ms: int) -> dict[str, Any]:
    return {
        **_summary(job, now_ms),
        "now": now_ms,
        "healthy": job.healthy() and not any(partition.failed for partition in job.partitions()),
        "not-ready": [*job.not_ready()],
        "partitions": [_partition(partition) for partition in job.partitions()],
        "report": job.report(),
    }


def savepoint(status: SavepointStatus) -> dict[str, Any]:
    """A stop's progress. A failure stands where Flink has a stack trace: in one line."""
    if not status.completed:
        return {"status": {"id": "IN_PROGRESS"}}
    if status.failure is not None:
        operation: dict[str, Any] = {"failure-cause": {"class": "SavepointFailed", "stack-trace": status.failure}}
    else:
        operation = {"location": status.location}
    return {"status": {"id": "COMPLETED"}, "operation": operation}


def _summary(job: AdministeredJob, now_ms: int) -> dict[str, Any]:
    ended_ms = job.ended_ms
    return {
        "jid": job.id,
        "name": job.name,
        "state": job.state().value,
        "start-time": job.started_ms,
        "end-time": -1 if ended_ms is None else ended_ms,
        "duration": (now_ms if ended_ms is None else ended_ms) - job.started_ms,
    }


def _tasks(job: AdministeredJob) -> dict[str, int]:
    held = job.partitions()
    failed = sum(partition.failed for partition in held)
    names = {JobState.CANCELLING: "canceling", JobState.FAILING: "running"}
    state = names.get(job.state(), job.state().lower())
    tasks = dict.fromkeys(_TASK_STATES, 0)
    tasks[state] += len(held) - failed
    tasks["failed"] += failed
    return {"total": len(held), **tasks}


def _partition(status: PartitionStatus) -> dict[str, Any]:
    return {
        "topic": status.topic,
        "partition": status.partition,
        "state": status.state,
        "committed-offset": status.committed_offset,
        "end-offset": status.end_offset,
        "lag": status.lag,
        "in-work": status.in_work,
        "backpressured": status.backpressured,
    }
