"""Whether the job on Flink runs, makes checkpoints and goes on: rows are written after a checkpoint only."""

from __future__ import annotations

from typing import Final

from lpa_core.counted import counted
from lpa_core.health.check import Figure, Finding, HealthCheck, Scope
from lpa_core.settings.thresholds import State
from lpa_flink.connection import flink_client
from lpa_flink.rest_answers import FlinkJobState
from lpa_flink.rest_connection import FlinkError, FlinkUnavailable
from lpa_flink.status import FlinkStatus, RunningJob, status_of

_SETTLED_SECONDS: Final = 600
"""A job that ran as long without a restart has recovered from the last one."""
_ATTEMPTS: Final = 1


def judge(scope: Scope) -> Finding:
    settings = scope.settings
    # One attempt in half of the time: a check that is late counts as failed, and says less.
    client = flink_client(settings, attempts=_ATTEMPTS, seconds=settings.health.timeout_seconds / 2)
    try:
        status = status_of(client, settings.lpa_flink.job_name)
    except (FlinkUnavailable, FlinkError) as error:
        return Finding(State.CRITICAL, str(error), action="start Flink's job manager, then see `lpa flink status`")
    if status.running is None:
        return _ended(status)
    return _of_running(status.running, scope)


def _ended(status: FlinkStatus) -> Finding:
    last = f"; the last, {status.last.id}, is {status.last.state}" if status.last is not None else ""
    why = f": {status.last_exception}" if status.last_exception else ""
    return Finding(
        State.CRITICAL,
        f"no job {status.name} runs at {status.address}{last}{why}",
        action="`lpa flink restore` goes on with what it left; a job that never ran is started by `lpa flink submit`",
    )


def _of_running(running: RunningJob, scope: Scope) -> Finding:
    age, state = running.checkpoint_age_seconds, running.job.state
    thresholds = scope.settings.health.flink_checkpoint_age_seconds
    figures = _figures(running)
    detail = (
        f"{running.job.name} is {state}, its newest checkpoint {age:,.0f} s old, "
        f"{counted(running.checkpoints.counts.failed, 'checkpoint')} failed, "
        f"{counted(running.restarts or 0, 'restart')}"
    )
    if running.waiting is not None:
        detail += f", {counted(running.waiting, 'record waits', 'records wait')} for a checkpoint"
    if state is not FlinkJobState.RUNNING:
        why = f": {running.exception}" if running.exception else ""
        return Finding(
            State.CRITICAL,
            f"{detail}{why}",
            age,
            thresholds,
            "remove what makes it fail: it begins again by itself",
            figures,
        )
    judged = thresholds.judge(age)
    if judged is not State.OK:
        if running.checkpoints.failure:
            detail += f"; the last failed by: {running.checkpoints.failure}"
        return Finding(judged, detail, age, thresholds, "see `lpa flink status`: why checkpoints fail or wait", figures)
    if running.restarts and running.uptime_seconds < _SETTLED_SECONDS:
        why = f"; it failed by: {running.exception}" if running.exception else ""
        return Finding(
            State.WARNING, f"{detail}{why}", age, thresholds, "see whether it fails again: `lpa flink status`", figures
        )
    return Finding(State.OK, detail, age, thresholds, figures=figures)


def _figures(running: RunningJob) -> list[Figure]:
    found = {
        "restarts": running.restarts,
        "checkpoints_failed": running.checkpoints.counts.failed,
        "waiting_records": running.waiting,
        "lag_records": running.lag,
    }
    return [Figure(name, number) for name, number in found.items() if number is not None]


CHECK: Final = HealthCheck(
    "flink_job", "The job on Flink", judge, "seconds", runbook="docs/operations/health.md#flink-job"
)
