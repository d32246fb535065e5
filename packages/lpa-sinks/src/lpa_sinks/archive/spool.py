"""The local folder where segments wait until their file is published.

- ``NAME.segment`` holds a segment's records as one zstd frame;
- ``NAME.published`` is empty: the records of that segment are in the archive;
- ``NAME.closing`` says which segments make up a file that is being published, and is renamed to
  ``NAME.uploaded`` once it is.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, final

import attrs
import msgspec

from lpa_core.durable import TEMPORARY, sync_folder, write_file
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive.layout import ArchiveFile, Segment

_SEGMENT: Final = ".segment"
_PUBLISHED: Final = ".published"
_CLOSING: Final = ".closing"
_UPLOADED: Final = ".uploaded"
_LOCK: Final = ".lock"
_CHUNK: Final = 1 << 20


@final
@attrs.frozen(slots=True)
class Closing:
    """A file on its way into the archive, or there already and still to be cleared away here."""

    segments: tuple[Segment, ...]
    uploaded: bool = False

    @property
    def file(self) -> ArchiveFile:
        return ArchiveFile.of(self.segments)


@final
class Spool:
    """Used by one process at a time: :meth:`open` takes a lock, :meth:`close` gives it back.

    Every method may raise OSError.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: BinaryIO | None = None

    def open(self) -> None:
        """Make the folder, lock it and drop what was half written. Raises ArchiveError if it is in use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.folder / _LOCK).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ArchiveError(
                f"{self.folder} is used by another process: wait for it to end, or give each its own data folder"
            ) from None
        self._lock = lock
        for leftover in self.folder.glob(f"*{TEMPORARY}"):
            leftover.unlink()

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def segments(self) -> Iterator[tuple[Segment, int]]:
        """Segments that wait, with their sizes in bytes."""
        for path in sorted(self.folder.glob(f"*{_SEGMENT}")):
            yield Segment.parse(path.name.removesuffix(_SEGMENT)), path.stat().st_size

    def published(self) -> Iterator[Segment]:
        """Segments remembered as published."""
        for path in self.folder.glob(f"*{_PUBLISHED}"):
            yield Segment.parse(path.name.removesuffix(_PUBLISHED))

    def closings(self) -> Iterator[Closing]:
        for suffix in (_UPLOADED, _CLOSING):
            for path in sorted(self.folder.glob(f"*{suffix}")):
                names = msgspec.json.decode(path.read_bytes(), type=list[str])
                yield Closing(tuple(map(Segment.parse, names)), uploaded=suffix == _UPLOADED)

    def write(self, segment: Segment, frame: bytes) -> None:
        write_file(self._path(segment, _SEGMENT), (frame,))

    def begin_closing(self, segments: Sequence[Segment]) -> Closing:
        """Settle which segments make up the next file."""
        names = [segment.name for segment in segments]
        write_file(self._path(segments[0], _CLOSING), (msgspec.json.encode(names),))
        return Closing(tuple(segments))

    def mark_uploaded(self, closing: Closing) -> Closing:
        """Note that the file is in the archive: its segments are not needed any more."""
        path = self._path(closing.segments[0], _CLOSING)
        path.replace(self._path(closing.segments[0], _UPLOADED))
        sync_folder(self.folder)
        return attrs.evolve(closing, uploaded=True)

    def read(self, segments: Iterable[Segment]) -> Iterator[bytes]:
        """The frames of the segments, one after the other, in chunks."""
        for segment in segments:
            with self._path(segment, _SEGMENT).open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk

    def clear(self, closing: Closing, remembered: Sequence[Segment]) -> None:
        """Let go of an uploaded file's segments, and keep in mind that the remembered ones are published.

        May be cut short and done again.
        """
        for segment in closing.segments:
            path = self._path(segment, _SEGMENT)
            if segment in remembered and path.exists():
                os.truncate(path.replace(self._path(segment, _PUBLISHED)), 0)
            else:
                path.unlink(missing_ok=True)
        sync_folder(self.folder)
        self._path(closing.segments[0], _UPLOADED).unlink(missing_ok=True)

    def forget(self, segment: Segment) -> None:
        """Forget that a segment was published."""
        self._path(segment, _PUBLISHED).unlink(missing_ok=True)

    def _path(self, segment: Segment, suffix: str) -> Path:
        return self.folder / (segment.name + suffix)
