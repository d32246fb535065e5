"""Flink's REST: jars, jobs, savepoints, checkpoints, metrics.

What only reads is tried again if Flink does not answer. What changes something carries an id that lpa chose, so that a
lost answer never leads to a second job or a second savepoint.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar, final
from urllib.parse import quote, urlencode

import attrs
import tenacity
from tenacity.wait import wait_base

from lpa_flink.rest_answers import (
    Exceptions,
    FlinkCheckpoints,
    FlinkCluster,
    FlinkJar,
    FlinkJars,
    FlinkJob,
    FlinkMetric,
    JobConfiguration,
    ListedJob,
    ListedJobs,
    SavepointProgress,
    StartedJob,
    Triggered,
    UploadedJar,
)
from lpa_flink.rest_connection import FlinkError, FlinkNotFoundError, FlinkUnavailable, RestConnection

T = TypeVar("T")

ATTEMPTS: Final = 4
_SLOW_SECONDS: Final = 120
"""For an upload, and for a run: Flink answers when the job's program has ended, which is a Python of its own."""
_WAIT: Final = tenacity.wait_random_exponential(multiplier=0.3, max=3)


@final
@attrs.frozen
class FlinkRun:
    """What is run out of a jar.

    Attributes:
        job_id: 32 hex digits that lpa chose: Flink refuses a second job of this id.
        arguments: of the program. Anybody who can ask the REST sees them.
        savepoint: where the state is that the job begins with; empty for none.
    """

    entry_class: str
    parallelism: int
    arguments: Sequence[str] = ()
    savepoint: str = ""
    job_id: str = attrs.field(factory=lambda: new_id())


def new_id() -> str:
    """An id for a job or a savepoint: 32 hex digits."""
    return uuid.uuid4().hex


@final
class FlinkClient:
    """Asks the job manager of one cluster.

    Every method raises FlinkUnavailable if there is no answer, FlinkError if the answer is an error, and
    FlinkAddressError if it is not one of Flink's.
    """

    def __init__(self, connection: RestConnection, *, attempts: int = ATTEMPTS, wait: wait_base = _WAIT) -> None:
        self._connection = connection
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(FlinkUnavailable),
            stop=tenacity.stop_after_attempt(attempts),
            wait=wait,
            reraise=True,
        )

    @property
    def address(self) -> str:
        return self._connection.address

    def cluster(self) -> FlinkCluster:
        return self._get("/overview", FlinkCluster)

    def jobs(self) -> list[ListedJob]:
        """All jobs, those among them that have ended, the newest first."""
        return sorted(self._get("/jobs/overview", ListedJobs).jobs, key=lambda job: -job.start_time)

    def job(self, job_id: str) -> FlinkJob:
        return self._get(f"/jobs/{job_id}", FlinkJob)

    def parameters(self, job_id: str) -> dict[str, str]:
        """What the job published about itself (its global job parameters)."""
        return self._get(f"/jobs/{job_id}/config", JobConfiguration).parameters

    def checkpoints(self, job_id: str) -> FlinkCheckpoints:
        return self._get(f"/jobs/{job_id}/checkpoints", FlinkCheckpoints)

    def newest_exception(self, job_id: str) -> str:
        """Why the job failed last, in one line; empty if it never did."""
        return self._get(f"/jobs/{job_id}/exceptions?maxExceptions=1", Exceptions).newest

    def job_metrics(self, job_id: str, names: Sequence[str]) -> dict[str, float]:
        """The metrics of these names that have a number."""
        return _numbers(self._get(f"/jobs/{job_id}/metrics?{urlencode({'get': ','.join(names)})}", list[FlinkMetric]))

    def operator_metrics(self, job_id: str, vertex_id: str, suffixes: Sequence[str]) -> dict[str, float]:
        """The metrics of all subtasks whose names end in one of these, such as ``0.gate.waitingRecords``."""
        path = f"/jobs/{job_id}/vertices/{vertex_id}/metrics"
        names = [each.id for each in self._get(path, list[FlinkMetric]) if each.id.endswith(tuple(suffixes))]
        if not names:
            return {}
        return _numbers(self._get(f"{path}?{urlencode({'get': ','.join(names)})}", list[FlinkMetric]))

    def jars(self) -> list[FlinkJar]:
        """The jars that were uploaded, the newest first."""
        return sorted(self._get("/jars", FlinkJars).files, key=lambda jar: -jar.uploaded)

    def upload(self, jar: Path) -> str:
        """Upload a jar, and return its id. Uploaded twice, it is there twice, which does no harm."""
        form: Mapping[str, tuple[str, bytes, str]] = {
            "jarfile": (jar.name, jar.read_bytes(), "application/java-archive")
        }
        return self._connection.ask("POST", "/jars/upload", UploadedJar, seconds=_SLOW_SECONDS, fields=form).id

    def delete_jar(self, jar_id: str) -> None:
        self._connection.ask("DELETE", f"/jars/{quote(jar_id)}", dict[str, object])

    def run(self, jar_id: str, run: FlinkRun) -> str:
        """Start a job, and return its id. After a lost answer, Flink is asked whether the job is there.

        Raises FlinkUnavailable if that cannot be found out either: the same ``run`` may be given again, since Flink
        refuses a second job of its id.
        """
        body: dict[str, object] = {
            "entryClass": run.entry_class,
            "parallelism": run.parallelism,
            "programArgsList": [*run.arguments],
            "jobId": run.job_id,
        }
        if run.savepoint:
            body["savepointPath"] = run.savepoint
        try:
            return self._connection.ask(
                "POST", f"/jars/{quote(jar_id)}/run", StartedJob, body=body, seconds=_SLOW_SECONDS
            ).id
        except FlinkUnavailable as lost:
            return self._found(run.job_id, lost)
        except FlinkError as refused:
            raise self._explained(run.job_id, refused) from None

    def _found(self, job_id: str, lost: FlinkUnavailable) -> str:
        """The id, if the job is there. Its program may still run: it is looked for some seconds."""
        looking = self._retrying.copy(retry=tenacity.retry_if_exception_type((FlinkUnavailable, FlinkNotFoundError)))
        try:
            found: FlinkJob = looking(self._connection.ask, "GET", f"/jobs/{job_id}", FlinkJob)
            return found.id
        except (FlinkUnavailable, FlinkNotFoundError):
            raise FlinkUnavailable(f"{lost}; the job {job_id} is not there, and may still come") from None

    def _explained(self, job_id: str, refused: FlinkError) -> FlinkError:
        """What Flink says of a job that ended as it began tells more than what it says of its program."""
        try:
            why = self.newest_exception(job_id)
        except (FlinkError, FlinkUnavailable):
            return refused
        return FlinkError(f"{self.address}: the job {job_id} could not begin: {why}") if why else refused

    def stop(self, job_id: str, request_id: str, *, drain: bool = False, target: str = "") -> str:
        """Stop the job with a savepoint, and return the request's id. The same ``request_id`` is one request.

        Args:
            drain: let the job finish everything it holds first. It never goes on from such a savepoint.
            target: the folder that the savepoint is put into; by default the cluster's.
        """
        body: dict[str, object] = {"drain": drain, "triggerId": request_id}
        if target:
            body["targetDirectory"] = target
        return self._again("POST", f"/jobs/{job_id}/stop", Triggered, body).request_id

    def savepoint(self, job_id: str, request_id: str, *, target: str = "") -> str:
        """Have the running job make a savepoint, and return the request's id: see :meth:`stop`."""
        body: dict[str, object] = {"cancel-job": False, "triggerId": request_id}
        if target:
            body["target-directory"] = target
        return self._again("POST", f"/jobs/{job_id}/savepoints", Triggered, body).request_id

    def savepoint_location(self, job_id: str, request_id: str) -> str:
        """Where the savepoint of a request is; empty as long as it is being made. Raises FlinkError if it failed."""
        progress = self._get(f"/jobs/{job_id}/savepoints/{request_id}", SavepointProgress)
        if progress.failure:
            raise FlinkError(
                f"the job {job_id} made no savepoint: {progress.failure}: see `lpa flink status` whether it still runs"
            )
        return progress.location

    def cancel(self, job_id: str) -> None:
        """End the job at once, without a savepoint. Its checkpoints stay."""
        self._again("PATCH", f"/jobs/{job_id}?mode=cancel", dict[str, object], None)

    def _get(self, path: str, expected: type[T]) -> T:
        return self._again("GET", path, expected, None)

    def _again(self, method: str, path: str, expected: type[T], body: object) -> T:
        answer: T = self._retrying(self._connection.ask, method, path, expected, body=body)
        return answer


def _numbers(metrics: Sequence[FlinkMetric]) -> dict[str, float]:
    return {each.id: number for each in metrics if (number := each.number) is not None}
