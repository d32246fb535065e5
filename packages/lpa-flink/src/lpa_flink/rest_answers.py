"""What Flink's REST says, checked. Times are epoch ms; Flink writes -1 for a time that has not come.

The names are those of Flink's page "REST API", version 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, final

import msgspec


class FlinkJobState(StrEnum):
    """The state of a job (Flink's JobStatus)."""

    INITIALIZING = "INITIALIZING"
    CREATED = "CREATED"
    RUNNING = "RUNNING"
    FAILING = "FAILING"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELED = "CANCELED"
    FINISHED = "FINISHED"
    RESTARTING = "RESTARTING"
    SUSPENDED = "SUSPENDED"
    RECONCILING = "RECONCILING"

    @property
    def ended(self) -> bool:
        """Whether the job does nothing more, and never will."""
        return self in _ENDED


_ENDED: Final = (FlinkJobState.FAILED, FlinkJobState.CANCELED, FlinkJobState.FINISHED)


@final
class FlinkCluster(msgspec.Struct, frozen=True):
    """``GET /overview``."""

    taskmanagers: int
    slots_total: int = msgspec.field(name="slots-total")
    slots_available: int = msgspec.field(name="slots-available")
    flink_version: str = msgspec.field(name="flink-version")


@final
class ListedJob(msgspec.Struct, frozen=True):
    """A job of ``GET /jobs/overview``."""

    id: str = msgspec.field(name="jid")
    name: str
    state: FlinkJobState
    start_time: int = msgspec.field(name="start-time")


@final
class ListedJobs(msgspec.Struct, frozen=True):
    jobs: list[ListedJob]


@final
class Vertex(msgspec.Struct, frozen=True):
    """Operators that run together, chained."""

    id: str
    name: str
    parallelism: int
    status: str


@final
class FlinkJob(msgspec.Struct, frozen=True):
    """``GET /jobs/<id>``. ``now`` is the job manager's clock."""

    id: str = msgspec.field(name="jid")
    name: str
    state: FlinkJobState
    start_time: int = msgspec.field(name="start-time")
    now: int
    vertices: list[Vertex]


class _Execution(msgspec.Struct, frozen=True):
    user_config: dict[str, str] = msgspec.field(name="user-config")


@final
class JobConfiguration(msgspec.Struct, frozen=True):
    """``GET /jobs/<id>/config``: what the job published about itself."""

    execution: _Execution | None = msgspec.field(name="execution-config", default=None)

    @property
    def parameters(self) -> dict[str, str]:
        return {} if self.execution is None else self.execution.user_config


@final
class FlinkCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint or savepoint of a job. ``external_path`` is where a completed one is, a URL."""

    id: int
    status: str
    trigger_timestamp: int
    is_savepoint: bool = False
    latest_ack_timestamp: int = -1
    end_to_end_duration: int = -1
    state_size: int = 0
    external_path: str = ""
    failure_message: str | None = None


class _Counts(msgspec.Struct, frozen=True):
    restored: int
    completed: int
    failed: int
    in_progress: int


class _Latest(msgspec.Struct, frozen=True):
    completed: FlinkCheckpoint | None = None
    savepoint: FlinkCheckpoint | None = None
    failed: FlinkCheckpoint | None = None


@final
class FlinkCheckpoints(msgspec.Struct, frozen=True):
    """``GET /jobs/<id>/checkpoints``; ``history`` begins with the newest. Flink gives them a second late or so."""

    counts: _Counts
    latest: _Latest
    history: list[FlinkCheckpoint]

    @property
    def failure(self) -> str:
        """Why the newest one was not made, in one line; empty if it was."""
        completed, failed = self.latest.completed, self.latest.failed
        if failed is None or (completed is not None and completed.id > failed.id):
            return ""
        return cause(failed.failure_message or "Flink does not say why")


class _Exception(msgspec.Struct, frozen=True):
    stacktrace: str
    timestamp: int = -1


class _History(msgspec.Struct, frozen=True):
    entries: list[_Exception]


@final
class Exceptions(msgspec.Struct, frozen=True):
    """``GET /jobs/<id>/exceptions``: what made the job fail, the newest first."""

    history: _History = msgspec.field(name="exceptionHistory")

    @property
    def newest(self) -> str:
        """The cause in one line; empty if there was none."""
        return cause(self.history.entries[0].stacktrace) if self.history.entries else ""


@final
class FlinkJar(msgspec.Struct, frozen=True):
    """A jar that was uploaded."""

    id: str
    name: str
    uploaded: int


@final
class FlinkJars(msgspec.Struct, frozen=True):
    files: list[FlinkJar]


@final
class UploadedJar(msgspec.Struct, frozen=True):
    """``filename`` is a path on the job manager: its last part is the jar's id."""

    filename: str
    status: str

    @property
    def id(self) -> str:
        return self.filename.rpartition("/")[2]


@final
class StartedJob(msgspec.Struct, frozen=True):
    id: str = msgspec.field(name="jobid")


@final
class Triggered(msgspec.Struct, frozen=True):
    request_id: str = msgspec.field(name="request-id")


class _Progress(msgspec.Struct, frozen=True):
    id: str


class _Failure(msgspec.Struct, frozen=True):
    stack_trace: str = msgspec.field(name="stack-trace")


class _Operation(msgspec.Struct, frozen=True):
    location: str = ""
    failure: _Failure | None = msgspec.field(name="failure-cause", default=None)


@final
class SavepointProgress(msgspec.Struct, frozen=True):
    """``GET /jobs/<id>/savepoints/<request-id>``."""

    status: _Progress
    operation: _Operation | None = None

    @property
    def location(self) -> str:
        """Where the savepoint is; empty if it is not there."""
        return "" if self.operation is None else self.operation.location

    @property
    def failure(self) -> str:
        """Why there will be none, in one line; empty if nothing failed."""
        if self.operation is None or self.operation.failure is None:
            return ""
        return cause(self.operation.failure.stack_trace)


@final
class FlinkMetric(msgspec.Struct, frozen=True):
    """Flink writes all values as text, such as ``n/a``."""

    id: str
    value: str = ""

    @property
    def number(self) -> float | None:
        try:
            return float(self.value)
        except ValueError:
            return None


@final
class Failed(msgspec.Struct, frozen=True):
    """An answer of status 400 or higher."""

    errors: list[str]


def cause(stacktrace: str) -> str:
    """What is at the bottom of a Java stack trace, without its class: the last "Caused by", else the first line."""
    lines: Sequence[str] = [line.strip() for line in stacktrace.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by:") for line in lines if line.startswith("Caused by:")]
    heads = [line for line in lines if not line.startswith(("at ", "...", "<Exception on server", "End of exception"))]
    deepest = (causes or heads or [""])[-1 if causes else 0].strip()
    name, separator, message = deepest.partition(": ")
    return message.strip() if separator and "." in name and " " not in name and message.strip() else deepest
