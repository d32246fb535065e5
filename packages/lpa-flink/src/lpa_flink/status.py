"""How the job fares, as Flink's REST says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

import attrs

from lpa_flink.rest import FlinkClient
from lpa_flink.rest_answers import FlinkCheckpoints, FlinkCluster, FlinkJob, ListedJob
from lpa_flink.rest_connection import FlinkError
from lpa_flink.submission import running_jobs

WAITING: Final = "waitingRecords"
"""Of the operator that lets a range on after its checkpoint: records that it holds."""
LAG: Final = "pendingRecords"
"""Of the source: records of the topic that it has not read."""
_RESTARTS: Final = "numRestarts"
_UPTIME: Final = "uptime"
"""Milliseconds since the job was last restarted."""


@final
@attrs.frozen
class RunningJob:
    """A job that has not ended.

    Attributes:
        restarts: since it was started; None if Flink does not say it, as some seconds after the start.
        uptime_seconds: since it was last restarted, or started.
        waiting, lag: records in the gate, and in the topic; None likewise.
        exception: what made it fail last, one line; empty if it never did.
        parameters: what it published about itself.
    """

    job: FlinkJob
    checkpoints: FlinkCheckpoints
    restarts: int | None
    uptime_seconds: float
    waiting: int | None
    lag: int | None
    exception: str
    parameters: Mapping[str, str]

    @property
    def checkpoint_age_seconds(self) -> float:
        """By the job manager's clock; since the job's start if there is no checkpoint yet."""
        completed = self.checkpoints.latest.completed
        since = self.job.start_time if completed is None else completed.latest_ack_timestamp
        return max(0.0, (self.job.now - since) / 1000)


@final
@attrs.frozen
class FlinkStatus:
    """``last`` is the job of this name that ended last, if none runs."""

    address: str
    name: str
    cluster: FlinkCluster
    running: RunningJob | None
    last: ListedJob | None
    last_exception: str = ""

    @property
    def runs(self) -> bool:
        return self.running is not None and self.running.job.state == "RUNNING"


def status_of(client: FlinkClient, name: str) -> FlinkStatus:
    """Ask Flink about its cluster and the job of this name. Raises what the client raises."""
    cluster = client.cluster()
    for listed in running_jobs(client, name):
        return FlinkStatus(client.address, name, cluster, _running(client, listed.id), None)
    last = next((job for job in client.jobs() if job.name == name), None)
    why = client.newest_exception(last.id) if last is not None else ""
    return FlinkStatus(client.address, name, cluster, None, last, why)


def _running(client: FlinkClient, job_id: str) -> RunningJob:
    job = client.job(job_id)
    sums: dict[str, int] = {}
    for vertex in job.vertices:
        for name, number in client.operator_metrics(job_id, vertex.id, [WAITING, LAG]).items():
            kind = name.rpartition(".")[2]
            sums[kind] = sums.get(kind, 0) + int(number)
    metrics = client.job_metrics(job_id, [_RESTARTS, _UPTIME])
    restarts = metrics.get(_RESTARTS)
    return RunningJob(
        job,
        client.checkpoints(job_id),
        None if restarts is None else int(restarts),
        metrics.get(_UPTIME, job.now - job.start_time) / 1000,
        sums.get(WAITING),
        sums.get(LAG),
        client.newest_exception(job_id),
        _parameters(client, job_id),
    )


def _parameters(client: FlinkClient, job_id: str) -> Mapping[str, str]:
    try:
        return client.parameters(job_id)
    except FlinkError:
        return {}
