"""Which file of an archive holds a record: told by the names of files, which is all that is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
from tenacity import wait_none

from lpa_core.records import Position
from lpa_core.sinks.archive import ArchiveError
from lpa_ops.trace.answer import TracedRecord
from lpa_ops.trace.questions import milliseconds
from lpa_sinks.archive.reader import files_of_position

_HOUR_MS: Final = 3_600_000


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


def _hours(record: TracedRecord) -> tuple[int, int] | None:
    """A span of receipt, epoch ms."""
    if record.record_timestamp is not None:
        time = milliseconds(record.record_timestamp)
        return time, time + 1
    if record.range is not None:
        time = milliseconds(record.range.batch_time)
        return time - _HOUR_MS, time + 1
    return None
