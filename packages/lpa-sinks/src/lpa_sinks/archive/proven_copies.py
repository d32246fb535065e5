"""Which files of a mirror were proven to be equal to their originals, and when."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, final

import msgspec

from lpa_core.durable import write_file
from lpa_core.sinks.archive import ArchiveError

_LOCK: Final = ".lock"


@final
class ProvenCopy(msgspec.Struct, frozen=True):
    """A copy that had size and checksum of its original.

    Attributes:
        proven_ms: epoch ms.
    """

    path: str
    size: int
    sha256: str
    proven_ms: int


@final
class ProvenCopies:
    """A file with a JSON line for each copy, and one more for each proof since.

    A line that a kill or a power failure takes away costs another comparison, and nothing else. Used by one process at
    a time, as a context. Every method may raise ArchiveError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, ProvenCopy] = {}
        self._lock: BinaryIO | None = None
        self._file: BinaryIO | None = None

    def __enter__(self) -> ProvenCopies:
        with self._errors():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = self._path.with_name(self._path.name + _LOCK).open("wb")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._lock.close()
                raise ArchiveError(
                    f"{self._path}: another process copies into this mirror: wait for it to end"
                ) from None
            self._known = {copy.path: copy for copy in self._read()}
            write_file(self._path, map(_line, self._known.values()))
            self._file = self._path.open("ab")
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._file, self._lock):
            if file is not None:
                file.close()

    def get(self, path: str) -> ProvenCopy | None:
        return self._known.get(path)

    def add(self, copy: ProvenCopy) -> None:
        self._known[copy.path] = copy
        with self._errors():
            assert self._file is not None
            self._file.write(_line(copy))
            self._file.flush()

    def _read(self) -> Iterator[ProvenCopy]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                try:
                    yield msgspec.json.decode(line, type=ProvenCopy)
                except ValueError:
                    continue  # cut off by a kill

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArchiveError(
                f"{error.filename or self._path}: {error.strerror}: make LPA_DATA_DIR a writable folder with free space"
            ) from error


def _line(copy: ProvenCopy) -> bytes:
    return msgspec.json.encode(copy) + b"\n"
