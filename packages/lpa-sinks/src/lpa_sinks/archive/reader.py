"""Reading records back from an archive."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from tenacity import wait_exponential_jitter
from tenacity.wait import wait_base

from lpa_core.records import Position
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive.layout import HOUR_MS, ArchiveFile, parse_hour, received_ms, topic_name
from lpa_sinks.archive.lines import ArchivedRecord, decode
from lpa_sinks.archive.storage import Storage, open_storage

_WAIT: Final = wait_exponential_jitter(initial=1, max=60)


class DamagedFileError(ArchiveError):
    """A file of an archive is cut off or damaged."""


def read_archive(
    location: str,
    topics: Sequence[str] | None = None,
    start: int | None = None,
    end: int | None = None,
    *,
    wait: wait_base = _WAIT,
    attempts: int = 8,
) -> Iterator[ArchivedRecord]:
    """The records of an archive, one file after the other: by topic, hour, partition and offset.

    Args:
        location: as for FileArchive.
        topics: only these; None for all.
        start, end: only records received in [start, end), epoch ms, by their timestamp if it can be one. Files of other
            hours are not opened.
        wait, attempts: as for FileArchive.

    Raises:
        ArchiveError: the archive cannot be read, or a file is damaged; the message names it.
    """
    storage = open_storage(location, wait=wait, attempts=attempts)
    for file in _files(storage, topics, start, end):
        for record in _records(storage.name, file, storage.read(file.path)):
            moment = received_ms(record.timestamp, file.batch_time)
            if (start is None or moment >= start) and (end is None or moment < end):
                yield record


def archive_files(
    location: str, start: int | None = None, end: int | None = None, *, wait: wait_base = _WAIT, attempts: int = 8
) -> list[str]:
    """Paths of the files whose hour has a moment in [start, end), epoch ms, in the order of :func:`read_archive`.

    Raises ArchiveError.
    """
    storage = open_storage(location, wait=wait, attempts=attempts)
    return [file.path for file in _files(storage, None, start, end)]


def files_of_position(
    location: str,
    position: Position,
    start: int,
    end: int,
    *,
    wait: wait_base = _WAIT,
    attempts: int = 8,
) -> list[str]:
    """Paths of the files whose name covers the position, of hours with a moment in [start, end), epoch ms.

    Names tell partition and offsets, so no file is opened. Raises ArchiveError.
    """
    storage = open_storage(location, wait=wait, attempts=attempts)
    return [
        file.path
        for file in _files(storage, [position.topic], start, end)
        if file.partition == position.partition and file.first <= position.offset <= file.last
    ]


def read_files(
    location: str, paths: Iterable[str], *, wait: wait_base = _WAIT, attempts: int = 8
) -> Iterator[tuple[ArchivedRecord, int]]:
    """The records of these files of an archive, and when each was received, epoch ms.

    Raises ArchiveError, where a file is gone or damaged among others.
    """
    storage = open_storage(location, wait=wait, attempts=attempts)
    for file in filter(None, map(ArchiveFile.parse, paths)):
        for record in _records(storage.name, file, storage.read(file.path)):
            yield record, received_ms(record.timestamp, file.batch_time)


def hour_folders(storage: Storage) -> Iterator[str]:
    """Paths of all folders of an archive that hold files of an hour, by topic and time. Raises ArchiveError."""
    for topic in storage.folders(""):
        yield from _hours(storage, topic, None, None)


def require_whole(archive: str, file: ArchiveFile, chunks: Iterable[bytes]) -> None:
    """Read a file of the archive to its end; raise DamagedFileError if it is not whole, naming it."""
    for _ in _records(archive, file, chunks):
        pass


def _files(storage: Storage, topics: Sequence[str] | None, start: int | None, end: int | None) -> Iterator[ArchiveFile]:
    for topic in storage.folders("") if topics is None else map(topic_name, topics):
        for folder in _hours(storage, topic, start, end):
            yield from sorted(filter(None, map(ArchiveFile.parse, storage.files(folder))))


def _hours(storage: Storage, topic: str, start: int | None, end: int | None) -> Iterator[str]:
    """Folders of the topic whose hour has a moment in [start, end)."""
    for date in storage.folders(topic):
        day = _hour(f"{date}/hour=00")
        if day is None or not _overlaps(day, day + 24, start, end):
            continue
        for folder in storage.folders(date):
            hour = _hour(folder)
            if hour is not None and _overlaps(hour, hour + 1, start, end):
                yield folder


def _hour(folder: str) -> int | None:
    try:
        return parse_hour(folder.partition("/")[2])
    except ValueError:
        return None


def _overlaps(first: int, behind: int, start: int | None, end: int | None) -> bool:
    return (start is None or start < behind * HOUR_MS) and (end is None or first * HOUR_MS < end)


def _records(archive: str, file: ArchiveFile, chunks: Iterable[bytes]) -> Iterator[ArchivedRecord]:
    lowest = highest = None
    whole = 0
    try:
        for line in _lines(chunks):
            record = decode(line)
            whole += 1
            lowest = record.offset if lowest is None else min(lowest, record.offset)
            highest = record.offset if highest is None else max(highest, record.offset)
            yield record
    except (EOFError, ValueError, zstd.ZstdError) as error:
        raise _damaged(archive, file, f"after line {whole}: {error}") from error
    if (lowest, highest) != (file.first, file.last):
        raise _damaged(archive, file, f"it holds offsets {lowest} to {highest}, not those of its name")


def _damaged(archive: str, file: ArchiveFile, why: str) -> DamagedFileError:
    return DamagedFileError(
        f"archive {archive}: {file.path} is damaged ({why}): bring it back from a copy, or move it away"
    )


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for text in _decompressed(chunks):
        lines = (rest + text).split(b"\n")
        rest = lines.pop()
        yield from lines
    if rest:
        raise EOFError("the last line is cut off")


def _decompressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Text of one zstd frame after the other. Raises EOFError if the last one is cut off."""
    decompressor = zstd.ZstdDecompressor()
    begun = False
    for chunk in chunks:
        while chunk:
            yield decompressor.decompress(chunk)
            begun = not decompressor.eof
            chunk = decompressor.unused_data
            if decompressor.eof:
                decompressor = zstd.ZstdDecompressor()
    if begun:
        raise EOFError("it is cut off")
