"""What the admin endpoint asks of the job that it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, final

import attrs

from lpa_core.errors import UsageError


class JobState(StrEnum):
    """The names of Flink's states that this job uses: deployment scripts know them."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    FAILING = "FAILING"
    """It runs and delivers nothing: each of its partitions needs a person."""
    CANCELLING = "CANCELLING"
    """Asked to stop, and finishing what is in work."""
    FINISHED = "FINISHED"
    """The source ended, or the job stopped as asked."""
    CANCELED = "CANCELED"
    FAILED = "FAILED"

    @property
    def ended(self) -> bool:
        return self in (JobState.FINISHED, JobState.CANCELED, JobState.FAILED)


@final
@attrs.frozen
class PartitionStatus:
    """A partition the job holds.

    Attributes:
        state: what its owner does with it now, in a few words.
        committed_offset: after the last finished range; None if nothing is finished yet.
        end_offset: after the last record there is; None if nobody knows yet.
        in_work: records that were read and are not finished; None if nobody knows.
        backpressured: whether reading is paused because writing is behind.
        failed: whether it needs a person: nothing of it is delivered.
    """

    topic: str
    partition: int
    state: str
    committed_offset: int | None = None
    end_offset: int | None = None
    in_work: int | None = None
    backpressured: bool = False
    failed: bool = False

    @property
    def lag(self) -> int | None:
        """Records still to be delivered; None if nobody knows yet."""
        if self.committed_offset is None or self.end_offset is None:
            return None
        return max(0, self.end_offset - self.committed_offset)


@final
@attrs.frozen
class SavepointStatus:
    """How far a stop with savepoint is. ``location`` is where the savepoint is; ``failure`` is why there is none."""

    completed: bool
    location: str | None = None
    failure: str | None = None


class StopRefused(UsageError):
    """The job cannot be stopped as asked. The message says why and what to do, in one line."""


class TapRefused(UsageError):
    """A tap cannot be opened as asked. The message says why, in one line."""


class JobTap(Protocol):
    """Shows records as they pass the job. Used from several threads at once; nothing may block."""

    def open(self, request: bytes) -> str:
        """Begin with what the JSON asks for, and return the tap's id: hex digits. Raises TapRefused."""
        ...

    def take(self, tap_id: str) -> bytes | None:
        """What came since the last question, as JSON; None if no such tap is open."""
        ...

    def close(self, tap_id: str) -> None:
        """End the tap, if it is open."""
        ...


class AdministeredJob(Protocol):
    """A job as the admin endpoint sees it.

    Every member is used from several threads at once, none may block, and none but ``stop`` changes anything.
    """

    @property
    def id(self) -> str:
        """Names the job in a URL: letters, digits and ``-_.`` only."""
        ...

    @property
    def name(self) -> str: ...

    @property
    def started_ms(self) -> int:
        """Epoch ms."""
        ...

    @property
    def ended_ms(self) -> int | None:
        """Epoch ms; None while it has not ended."""
        ...

    def state(self) -> JobState: ...

    def healthy(self) -> bool:
        """Whether the job can go on. If not, the process is to be started again."""
        ...

    def not_ready(self) -> Sequence[str]:
        """Why the job does not keep up now, a line for each reason; empty if it does."""
        ...

    def partitions(self) -> Sequence[PartitionStatus]:
        """The partitions it holds, in their order."""
        ...

    def report(self) -> Mapping[str, Any]:
        """Counts so far, as :meth:`lpa_core.delivery.run_report.Report.as_json` gives them."""
        ...

    def stop(self, with_savepoint: str | None) -> str:
        """Ask the job to finish what is in work, make a savepoint, and end.

        Args:
            with_savepoint: the folder that the savepoint goes into; None for where savepoints go by default.

        Returns:
            The request's id for :meth:`savepoint`: letters, digits and ``-_.`` only.

        Raises StopRefused.
        """
        ...

    def savepoint(self, request_id: str) -> SavepointStatus | None:
        """How far a stop is; None if there was no such request."""
        ...
