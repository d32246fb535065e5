"""Files of newline-delimited JSON: envelopes, or records as a producer sent them; plain, gzip or zstd."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import final

from lpa_core.records import Position
from lpa_core.replays import ReplayError, ReplayRefused
from lpa_core.sources.files import open_snapshot
from lpa_core.sources.source import SourceError
from lpa_replay.sources.envelopes import looks_like_envelope, read_envelope
from lpa_replay.sources.record import Found, Selection, raw_record
from lpa_replay.sources.source import BYTES_AT_ONCE, RECORDS_AT_ONCE
from lpa_replay.sources.window import Clock


@final
class FileSource:
    """Each line is an envelope or a record. A record has no time of ingestion.

    A record's position is its line in a topic named by the file and its content: another file of the same name holds
    other records.
    """

    name = "file"
    clock = Clock.EVENT

    def __init__(self, path: Path, bounds: Mapping[str, str] | None = None) -> None:
        """Raises ReplayRefused if the file cannot be read, ReplayError where it is not the one of the bounds."""
        self._path = path
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ReplayRefused(f"{path} can be read only once: write what it gives into a file, and name that")
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ReplayRefused(
                f"{path}: {error.strerror}: --from takes dlq-topic, dlq-table, quarantine-table, archive or a file"
            ) from None
        self.bounds = {"sha256": digest}
        self._content = digest[:12]
        if bounds is not None and self.bounds != dict(bounds):
            raise ReplayError(f"{path} is not the file that was planned for: its content has changed; plan again")

    def read(self, selection: Selection) -> Iterator[Sequence[Found]]:
        try:
            lines = open_snapshot(self._path)
        except SourceError as error:
            raise ReplayError(str(error)) from None
        try:
            while (batch := lines.read(RECORDS_AT_ONCE, BYTES_AT_ONCE)) is not None:
                topic, oversized = f"{batch.topic}@{self._content}", batch.oversized
                yield [
                    _found(value or b"", Position(topic, 0, offset), index in oversized)
                    for index, (offset, value) in enumerate(zip(batch.offsets, batch.values, strict=True))
                ]
        except SourceError as error:
            raise ReplayError(str(error)) from None
        finally:
            lines.close()

    def missed(self, selection: Selection) -> int:
        return 0

    def close(self) -> None:
        pass


def _found(line: bytes, place: Position, oversized: bool) -> Found:
    if oversized:
        return raw_record(None, place, None, None, "the line is too long to be read")
    if looks_like_envelope(line):
        return read_envelope(line, place, None)
    return raw_record(line, place, None, None)
