"""What a plugin that repairs records on their way back into the stream is given, and how a replay fails."""

from __future__ import annotations

from typing import Protocol, final

import attrs

from lpa_core.argument_checks import shown_type
from lpa_core.errors import JobFailed, UsageError
from lpa_core.records import Position


class ReplayError(JobFailed):
    """A replay could not be done, or its verification failed. The message names what and the remedy, in one line."""


class ReplayRefused(UsageError):
    """What was asked for makes no replay: a window, a fix or a source that cannot be. One line, with the remedy."""


@final
@attrs.frozen(slots=True, repr=False)
class ReplayRecord:
    """A record that is about to be replayed, as a transform sees it.

    Attributes:
        payload: the record as it was received first: no JSON where that was the failure.
        origin: the position that it was first read from.
        failure_stage, failure_class, failure_reason, failure_details: why it was rejected; empty if it was not, as
            for a record of an archive.
        event_type: empty if it could not be read.
        attempt: how often it has been replayed before.
    """

    payload: bytes
    origin: Position
    failure_stage: str = ""
    failure_class: str = ""
    failure_reason: str = ""
    failure_details: str = ""
    event_type: str = ""
    attempt: int = 0

    def __repr__(self) -> str:
        return f"ReplayRecord({self.origin}, {self.failure_class}/{self.failure_reason})"


class ReplayTransform(Protocol):
    """Repairs a record, or leaves it alone. Pure: no I/O, no clock.

    Returns the record's new bytes, or None if it has nothing to change. One that raises leaves that record where it
    is: it is not replayed, and counted with the error.
    """

    @property
    def __name__(self) -> str: ...

    def __call__(self, record: ReplayRecord, /) -> bytes | None: ...


def required_bytes(changed: object) -> bytes | None:
    """What a third party's transform answered. Raises ReplayError if it is neither bytes nor None."""
    if changed is None or isinstance(changed, bytes):
        return changed
    raise ReplayError(f"returned {shown_type(changed)}: it must return bytes or None")
