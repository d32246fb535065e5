"""Where a record belongs: the names of segments in the spool and of files in the archive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, final
from urllib.parse import quote

import attrs

from lpa_core.records import RecordBatch

HOUR_MS: Final = 3_600_000
FILE_SUFFIX: Final = ".ndjson.zst"
_YEAR_10000_MS: Final = 253_402_300_800_000
_MAX_TOPIC: Final = 120
"""File systems allow 255 bytes in a name, and offsets and times follow the topic."""


@final
@attrs.frozen(slots=True, order=True)
class Segment:
    """The records that one range of a partition has in one hour.

    Its name is the same whenever the range is written again, so that it replaces itself, and never that of
    another range: not even of another file of the same name, whose ranges have other batch times.
    """

    topic: str
    """As :func:`topic_name` gives it."""
    partition: int
    hour: int
    """Since the epoch."""
    batch_time: int
    """Epoch ms."""
    first: int
    """Offset."""
    last: int
    """Offset."""

    @property
    def name(self) -> str:
        return f"{self.topic}-{self.partition}-{self.hour}-{self.first:020d}-{self.last:020d}-{self.batch_time:013d}"

    @classmethod
    def parse(cls, name: str) -> Segment:
        """Raises ValueError if the name is not that of a segment."""
        topic, *numbers = name.rsplit("-", 5)
        partition, hour, first, last, batch_time = map(int, numbers)
        return cls(topic, partition, hour, batch_time, first, last)


@final
@attrs.frozen(slots=True, order=True)
class ArchiveFile:
    """A file of the archive; sorts by partition and offset within its hour."""

    partition: int
    first: int
    """Lowest offset."""
    batch_time: int
    """Of its first range, epoch ms: sets it apart from files of another run over the same offsets."""
    last: int
    """Highest offset."""
    hour: int
    topic: str

    @classmethod
    def of(cls, segments: Sequence[Segment]) -> ArchiveFile:
        return cls(
            partition=segments[0].partition,
            first=min(segment.first for segment in segments),
            batch_time=min(segment.batch_time for segment in segments),
            last=max(segment.last for segment in segments),
            hour=segments[0].hour,
            topic=segments[0].topic,
        )

    @property
    def path(self) -> str:
        return (
            f"{self.topic}/{hour_folder(self.hour)}/{self.topic}-{self.partition}"
            f"-{self.first:020d}-{self.last:020d}-{self.batch_time:013d}{FILE_SUFFIX}"
        )

    @classmethod
    def parse(cls, path: str) -> ArchiveFile | None:
        """The file of this path, or None if the archive names no file so."""
        try:
            topic, date, hour, name = path.split("/")
            prefix, partition, first, last, batch_time = name.removesuffix(FILE_SUFFIX).rsplit("-", 4)
            found = cls(int(partition), int(first), int(batch_time), int(last), parse_hour(f"{date}/{hour}"), topic)
        except ValueError:
            return None
        return found if prefix == topic and name.endswith(FILE_SUFFIX) else None


def topic_name(topic: str) -> str:
    """The topic as a part of a path: percent-encoded where it must be, and cut short where it is too long."""
    name = quote(topic, safe="", errors="surrogateescape")
    if not name.strip("."):
        name = name.replace(".", "%2E")
    if len(name) <= _MAX_TOPIC:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: _MAX_TOPIC - len(digest) - 1]}~{digest}"


def hour_folder(hour: int) -> str:
    return datetime.fromtimestamp(hour * HOUR_MS / 1000, UTC).strftime("date=%Y-%m-%d/hour=%H")


def parse_hour(folder: str) -> int:
    """Hours since the epoch, the inverse of :func:`hour_folder`. Raises ValueError for any other text."""
    moment = datetime.strptime(folder, "date=%Y-%m-%d/hour=%H").replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000) // HOUR_MS


def received_ms(timestamp: int, batch_time: int) -> int:
    """When a record was received, epoch ms: its time, or its range's if no calendar has its time."""
    return timestamp if 0 <= timestamp < _YEAR_10000_MS else batch_time


def by_hour(batch: RecordBatch, batch_time: int) -> Mapping[int, Sequence[int]]:
    """Hour since the epoch -> indexes of its records. A time that no calendar has counts as the batch's time."""
    everything = range(len(batch))
    if batch.timestamps is None:
        return {batch_time // HOUR_MS: everything}
    lowest, highest = min(batch.timestamps), max(batch.timestamps)
    if lowest >= 0 and highest < _YEAR_10000_MS and lowest // HOUR_MS == highest // HOUR_MS:
        return {lowest // HOUR_MS: everything}
    return _grouped(batch.timestamps, batch_time)


def _grouped(timestamps: Iterable[int], batch_time: int) -> Mapping[int, Sequence[int]]:
    hours: dict[int, list[int]] = {}
    for index, timestamp in enumerate(timestamps):
        hours.setdefault(received_ms(timestamp, batch_time) // HOUR_MS, []).append(index)
    return hours
