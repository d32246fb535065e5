"""What a source promises."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from lpa_core.errors import JobFailed
from lpa_core.records import RecordBatch


class SourceError(JobFailed):
    """The source cannot be read. The message names the thing and the remedy, in one line."""

    def __init__(self, message: str, *, broken: str = "") -> None:
        """``broken``: where a source ends before its end, if it does; all records before that were handed out."""
        super().__init__(f"{broken}: {message}" if broken else message)
        self._message, self._broken = message, broken

    def after(self, summary: str) -> SourceError:
        """The same with what became of the records before the break; as it is if there is none."""
        return SourceError(self._message, broken=f"{self._broken}; {summary}") if self._broken else self


class Source(Protocol):
    """Hands over the records of one partition in order.

    Reading a repeatable source: the same ``resume`` and the same number of records give the same
    bytes, or SourceError is raised.
    """

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def repeatable(self) -> bool:
        """Whether a later process can read the same records again; if not, nothing is kept to go on from."""
        ...

    @property
    def size(self) -> int | None:
        """Bytes in all, for a progress bar; None if nobody knows."""
        ...

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, of ``size``."""
        ...

    def seek(self, offset: int, resume: str) -> None:
        """Go on with the record at ``offset``; ``resume`` is that of the batch before it (empty at the start).
        Called at most once, before the first read.

        Raises SourceError if the source no longer holds what was read before.
        """
        ...

    def read(self, max_records: int, max_bytes: int) -> RecordBatch | None:
        """The next records, at least one, or None at the end.

        A batch closes at ``max_records`` or once its values exceed ``max_bytes``.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class SupportsUnfinished(Protocol):
    """A source whose last record may still be being written: it is left in the source until it is whole."""

    @property
    def unfinished(self) -> int:
        """Bytes of a last record that was left, once all others were read."""
        ...

    def take_unfinished(self) -> None:
        """Take a last record as it is: nothing comes after it."""
        ...

    def read_again(self, count: int, resume: str) -> RecordBatch | None:
        """The ``count`` records that a batch with this ``resume`` ended with, whatever was added to the source since.

        Called at most once, after :meth:`Source.seek` and before the first read.
        """
        ...


@runtime_checkable
class SupportsStop(Protocol):
    """A source whose next record may be long in coming."""

    def stop(self) -> None:
        """Have a read that waits, and every later one, return what is there. Called in another thread."""
        ...
