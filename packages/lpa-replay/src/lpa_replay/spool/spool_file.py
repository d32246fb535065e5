"""Files of a run: lines that are written frame by frame, and read from any line on."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Generic, TypeVar, final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

import attrs
import msgspec

from lpa_core.durable import write_file
from lpa_core.replays import ReplayError
from lpa_replay.spool.outcomes import Outgoing, ReplayDecision

_LEVEL: Final[Mapping[int, int]] = {
    zstd.CompressionParameter.compression_level: 1,
    zstd.CompressionParameter.checksum_flag: 1,
}

T = TypeVar("T", ReplayDecision, Outgoing)


@final
@attrs.frozen
class Frame:
    """A part of a file that can be read alone."""

    first: int
    """Index of its first line."""
    count: int
    start: int
    """Byte in the file."""
    size: int


@final
@attrs.frozen
class SpoolFile:
    """A whole file, as the manifest names it."""

    frames: tuple[Frame, ...]
    sha256: str

    @property
    def count(self) -> int:
        return self.frames[-1].first + self.frames[-1].count if self.frames else 0


@final
class SpoolWriter(Generic[T]):
    """Writes lines of MessagePack as zstd frames: payloads go into it as they are."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._frames: list[Frame] = []
        self._digest = hashlib.sha256()
        self._count = self._size = 0

    def __enter__(self) -> SpoolWriter[T]:
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def write(self, lines: Sequence[T]) -> None:
        """Add a frame: a reader holds one of them in memory. Of no lines nothing is made."""
        if not lines:
            return
        frame = zstd.compress(_encoder.encode(lines), options=_LEVEL)
        self._file.write(frame)
        self._digest.update(frame)
        self._frames.append(Frame(self._count, len(lines), self._size, len(frame)))
        self._count += len(lines)
        self._size += len(frame)

    def close(self) -> SpoolFile:
        """Durable after return."""
        sync(self._file)
        self._file.close()
        return SpoolFile(tuple(self._frames), self._digest.hexdigest())


@final
class SpoolReader(Generic[T]):
    """Reads a file of a spool from any line on."""

    def __init__(self, path: Path, described: SpoolFile, line: type[T]) -> None:
        """Raises ReplayError if the file is not the one described."""
        self.path, self._described = path, described
        self._decoder = msgspec.msgpack.Decoder(list[line])  # type: ignore[valid-type]  # known only here
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ReplayError(f"{path} cannot be read: {error.strerror}: bring the folder back as it was") from None
        if digest != described.sha256:
            raise ReplayError(f"{path} is damaged: bring the folder back from a backup, or plan a new replay")

    @property
    def count(self) -> int:
        return self._described.count

    @property
    def sha256(self) -> str:
        return self._described.sha256

    def lines(self, first: int = 0) -> Iterator[Sequence[T]]:
        """The lines from ``first`` on, some at a time."""
        with self.path.open("rb") as file:
            for frame in self._described.frames:
                if frame.first + frame.count <= first:
                    continue
                file.seek(frame.start)
                lines: list[T] = self._decoder.decode(zstd.decompress(file.read(frame.size)))
                yield lines[max(0, first - frame.first) :]


def write_durably(path: Path, value: Any, *, private: bool = False) -> None:
    """Replace a small JSON file; it is there whole after return, and for the user alone if ``private``."""
    write_file(path, [value if isinstance(value, bytes) else msgspec.json.encode(value)], private=private)


def sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


_encoder: Final = msgspec.msgpack.Encoder()
