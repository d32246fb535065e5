"""The archive, in a folder or an object store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import final

from lpa_core.delivery.ignored_blocks import IGNORED_HEADER
from lpa_core.pipeline.traceparent import traceparent_of
from lpa_core.records import Position
from lpa_core.replays import ReplayError, ReplayRefused
from lpa_core.sinks.archive import ArchiveError
from lpa_replay.sources.record import Found, Selection, possible_time, raw_record
from lpa_replay.sources.source import RECORDS_AT_ONCE
from lpa_replay.sources.window import Clock, Window
from lpa_sinks.archive.lines import ERASED_HEADER, ArchivedRecord
from lpa_sinks.archive.reader import archive_files, read_files


@final
class ArchiveSource:
    """Records as they were received. The archive is laid out by the time of receipt, so its windows go by that.

    By event time every file has to be read: an event can come at any time.
    """

    name = "archive"
    clock = Clock.INGESTION

    def __init__(self, location: str, window: Window, clock: Clock, bounds: Mapping[str, str] | None = None) -> None:
        """Raises ReplayRefused if there is no archive, ReplayError where it is not the one of the bounds."""
        self._location = location
        pruned = window if clock is Clock.INGESTION else Window()
        try:
            self._files = archive_files(location, pruned.start, pruned.end)
            if not self._files and not archive_files(location):
                raise ReplayRefused(f"{location}: there is no archive: name the place that `lpa ingest --archive` has")
        except ArchiveError as error:
            raise ReplayRefused(str(error)) from None
        digest = hashlib.sha256("\n".join(self._files).encode()).hexdigest()
        if bounds is not None and bounds["files"] != f"{len(self._files)} sha256 {digest}":
            raise ReplayError(
                f"{location} holds other files of the window than were planned for ({len(self._files)} now, "
                f"{bounds['files'].split()[0]} then): plan again"
            )
        self.bounds = {"files": f"{len(self._files)} sha256 {digest}"}

    def read(self, selection: Selection) -> Iterator[Sequence[Found]]:
        some: list[Found] = []
        for record, received in read_files(self._location, self._files):
            some.append(_found(record, received))
            if len(some) >= RECORDS_AT_ONCE:
                yield some
                some = []
        if some:
            yield some

    def missed(self, selection: Selection) -> int:
        return 0

    def close(self) -> None:
        pass


def _found(record: ArchivedRecord, received: int) -> Found:
    place = Position(record.topic, record.partition, record.offset)
    problem = "the archive holds only the beginning of the record" if record.oversized is not None else ""
    for name, reason in record.headers or ():
        if name == IGNORED_HEADER:
            said = (reason or b"").decode(errors="replace")
            problem = f"a rule ignored it, and the archive has only its position: {said}"
        if name == ERASED_HEADER:
            problem = "it was erased, and the archive has only its position"
    value = None if problem else record.value
    return raw_record(
        value, place, possible_time(received), possible_time(received), problem, traceparent_of(record.headers)
    )
