"""Which file of an archive holds a record, by the names of files; and the header that only an archive keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
from tenacity import wait_none

from lpa_core.pipeline.traceparent import TRACEPARENT, traceparent_of
from lpa_core.records import Position
from lpa_core.sinks.archive import ArchiveError
from lpa_ops.trace.answer import TracedRecord
from lpa_ops.trace.questions import milliseconds
from lpa_sinks.archive.layout import ArchiveFile
from lpa_sinks.archive.reader import files_of_position, read_files

_HOUR_MS: Final = 3_600_000
_READ_AT_MOST: Final = 200_000
"""Records that are read in less than a second."""


def with_archive_files(
    location: str, records: Mapping[Position, TracedRecord]
) -> tuple[dict[Position, TracedRecord], list[str]]:
    """The records with the path of the file that covers each, and what could not be asked.

    A file lies in the hour of its records' times. Of a record without one, the hours of its range and before it are
    looked at.
    """
    found = dict(records)
    for position, record in records.items():
        hours = _hours(record)
        if hours is None:
            continue
        try:
            # A copy would be as good as any other: the last is of the latest range.
            paths = files_of_position(location, position, *hours, wait=wait_none(), attempts=1)
        except ArchiveError as error:
            return found, [f"the archive: {error}"]
        if paths:
            found[position] = attrs.evolve(record, archive_file=paths[-1])
    return found, []


def with_header(location: str, record: TracedRecord) -> tuple[TracedRecord, list[str]]:
    """The record with its header ``traceparent``, from the file that has it, and what could not be asked.

    A file is read up to the record, and not at all if too much of it comes before.
    """
    file = ArchiveFile.parse(record.archive_file)
    if file is None or record.traceparent:
        return record, []
    if record.position.offset - file.first > _READ_AT_MOST:
        return record, [f"the header {TRACEPARENT}: more than {_READ_AT_MOST:,} records come before it in its file"]
    try:
        for archived, _ in read_files(location, [record.archive_file], wait=wait_none(), attempts=1):
            if archived.offset == record.position.offset:
                return attrs.evolve(record, traceparent=traceparent_of(archived.headers)), []
    except ArchiveError as error:
        return record, [f"the header {TRACEPARENT}: {error}"]
    return record, []


def _hours(record: TracedRecord) -> tuple[int, int] | None:
    """A span of receipt, epoch ms."""
    if record.record_timestamp is not None:
        time = milliseconds(record.record_timestamp)
        return time, time + 1
    if record.range is not None:
        time = milliseconds(record.range.batch_time)
        return time - _HOUR_MS, time + 1
    return None
