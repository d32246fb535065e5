"""Takes the content of single records out of an archive: their positions stay, so that files keep their names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

import attrs
import msgspec
from tenacity import wait_exponential_jitter

from lpa_core.records import Position, RecordBatch
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive.layout import ArchiveFile
from lpa_sinks.archive.lines import ERASED_HEADER, ArchivedRecord, encode
from lpa_sinks.archive.reader import archive_files, read_files
from lpa_sinks.archive.storage import open_storage

_WAIT: Final = wait_exponential_jitter(initial=1, max=60)
_ATTEMPTS: Final = 8
_LINES_AT_ONCE: Final = 2000


@attrs.frozen
class ArchivedMatch:
    """A record of an archive, and the file that has it."""

    path: str
    record: ArchivedRecord


def matches(location: str, wanted: Callable[[ArchivedRecord], bool]) -> Iterator[ArchivedMatch]:
    """The records that are wanted and still have content. Raises ArchiveError; also if there is no archive."""
    files = archive_files(location)
    if not files:
        raise ArchiveError(f"{location}: there is no archive: name the place that `lpa ingest --archive` has")
    for path in files:
        for record, _ in read_files(location, [path]):
            if not is_erased(record) and wanted(record):
                yield ArchivedMatch(path, record)


def is_erased(record: ArchivedRecord) -> bool:
    return any(name == ERASED_HEADER for name, _ in record.headers or ())


def erase(location: str, path: str, wanted: Callable[[Position], bool]) -> int:
    """Write a file again without the content of the records at these positions; return how many had any.

    The file is replaced whole. Done again it finds nothing. Raises ArchiveError.
    """
    storage = open_storage(location, wait=_WAIT, attempts=_ATTEMPTS)
    if ArchiveFile.parse(path) is None:
        raise ArchiveError(f"{location}: {path} is not a file of an archive")

    def is_wanted(record: ArchivedRecord) -> bool:
        return not is_erased(record) and wanted(Position(record.topic, record.partition, record.offset))

    def content() -> Iterator[bytes]:
        records = (record for record, _ in read_files(location, [path]))
        while some := list(islice(records, _LINES_AT_ONCE)):
            lines = [_emptied(record) if is_wanted(record) else record for record in some]
            yield zstd.compress(b"".join(map(_line, lines)))

    count = sum(is_wanted(record) for record, _ in read_files(location, [path]))
    if count:
        storage.put(path, content)
    return count


def _emptied(record: ArchivedRecord) -> ArchivedRecord:
    return msgspec.structs.replace(record, key=None, value=None, oversized=None, headers=[(ERASED_HEADER, b"")])


def _line(record: ArchivedRecord) -> bytes:
    batch = RecordBatch(
        record.topic,
        record.partition,
        (record.offset,),
        (record.value,),
        (record.timestamp,),
        (record.key,),
        (record.headers,),
        {} if record.oversized is None else {0: record.oversized},
    )
    return encode(batch, _FIRST, record.timestamp)


_FIRST: Final[Sequence[int]] = (0,)
