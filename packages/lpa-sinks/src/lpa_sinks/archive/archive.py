"""An archive of files that close by size and age."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

import attrs
from tenacity import wait_exponential_jitter
from tenacity.wait import wait_base

from lpa_core.records import RecordBatch
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive.layout import Segment, by_hour, topic_name
from lpa_sinks.archive.lines import encode
from lpa_sinks.archive.spool import Closing, Spool
from lpa_sinks.archive.storage import open_storage

_OPTIONS: Final[Mapping[int, int]] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,
}


@final
@attrs.define(slots=True, eq=False)
class _OpenFile:
    """Segments of one partition and hour that will make up one file."""

    opened: int
    """Batch time of the first, epoch ms."""
    segments: dict[Segment, int] = attrs.field(factory=dict[Segment, int])
    """With their sizes in bytes."""

    @property
    def size(self) -> int:
        return sum(self.segments.values())


@final
class FileArchive:
    """Keeps records as zstd-compressed NDJSON files ``TOPIC/date=.../hour=.../TOPIC-PARTITION-FIRST-LAST-TIME``.

    Effectively once. A range becomes segments in a local spool, durable when :meth:`write` returns; the
    segments of a partition and hour become one file when they are large or old enough. At a kill
    at any moment:

    - a segment is whole or absent, and a range written again replaces its own segments;
    - a file whose closing began is published again by :meth:`recover`: the same bytes under the same name;
    - a segment leaves the spool only after its file is published. Those of a partition's latest range, the
      only one that can come again, are remembered as published until the partition's next range
      comes, and are not written again.

    Implements lpa_core.sinks.archive.Archive.
    """

    def __init__(
        self,
        location: str,
        spool: Path,
        *,
        max_bytes: int = 128 << 20,
        max_age_ms: int = 15 * 60_000,
        wait: wait_base = wait_exponential_jitter(initial=1, max=60),  # noqa: B008  # immutable
        attempts: int = 8,
    ) -> None:
        """Touches nothing yet.

        Args:
            location: a folder (plain path or ``file:///path``) or an object store, such as ``s3://bucket/prefix``.
            spool: a local folder of this archive's own, kept from run to run.
            max_bytes: compressed size at which a file closes.
            max_age_ms: age at which a file closes.
            wait: pauses between attempts to reach an object store.
            attempts: how often it is tried before ArchiveError.

        Raises:
            ArchiveError: nothing can be kept at such a location.
        """
        self._storage = open_storage(location, wait=wait, attempts=attempts)
        self._spool = Spool(spool)
        self._max_bytes = max_bytes
        self._max_age_ms = max_age_ms
        self._open: dict[tuple[str, int, int], _OpenFile] = {}
        self._closing: list[Closing] = []
        self._published: dict[tuple[str, int], set[Segment]] = {}
        self._latest: dict[tuple[str, int], set[Segment]] = {}
        self._unreachable = False

    def recover(self) -> None:
        with self._spool_errors():
            self._spool.open()
        self._storage.check()
        with self._spool_errors():
            self._closing = list(self._spool.closings())
        self._publish()
        with self._spool_errors():
            for segment in self._spool.published():
                self._published.setdefault((segment.topic, segment.partition), set()).add(segment)
            for segment, size in self._spool.segments():
                self._add(segment, size)

    def write(self, batch: RecordBatch, batch_time: int) -> None:
        if not len(batch):
            return
        topic = topic_name(batch.topic)
        published = self._published.setdefault((topic, batch.partition), set())
        range_: set[Segment] = set()
        self._latest[topic, batch.partition] = range_
        for hour, indexes in by_hour(batch, batch_time).items():
            first, last = batch.offsets[indexes[0]], batch.offsets[indexes[-1]]
            segment = Segment(topic, batch.partition, hour, batch_time, first, last)
            range_.add(segment)
            if segment in published:
                continue
            frame = zstd.compress(encode(batch, indexes, batch_time), options=_OPTIONS)
            with self._spool_errors():
                self._spool.write(segment, frame)
            self._add(segment, len(frame))
        with self._spool_errors():
            for segment in published - range_:
                self._spool.forget(segment)
                published.remove(segment)

    def flush_due(self, now_ms: int) -> None:
        for key, file in list(self._open.items()):
            if file.size >= self._max_bytes or now_ms - file.opened >= self._max_age_ms:
                self._begin_closing(key)
        self._publish()

    def close(self) -> None:
        """Publish all open files, unless the archive could not be reached before: then they wait in the spool."""
        try:
            if not self._unreachable:
                for key in list(self._open):
                    self._begin_closing(key)
                self._publish()
        finally:
            self._spool.close()

    def _add(self, segment: Segment, size: int) -> None:
        key = segment.topic, segment.partition, segment.hour
        file = self._open.setdefault(key, _OpenFile(segment.batch_time))
        file.segments[segment] = size

    def _begin_closing(self, key: tuple[str, int, int]) -> None:
        """From here on nothing more joins the file: its name and bytes are settled."""
        with self._spool_errors():
            self._closing.append(self._spool.begin_closing(sorted(self._open[key].segments)))
        del self._open[key]

    def _publish(self) -> None:
        while self._closing:
            closing = self._closing[0]
            if not closing.uploaded:
                closing = self._closing[0] = self._uploaded(closing)
            partition = closing.file.topic, closing.file.partition
            latest = self._latest.get(partition)
            remembered = [segment for segment in closing.segments if latest is None or segment in latest]
            with self._spool_errors():
                self._spool.clear(closing, remembered)
            self._published.setdefault(partition, set()).update(remembered)
            del self._closing[0]

    def _uploaded(self, closing: Closing) -> Closing:
        try:
            self._storage.put(closing.file.path, lambda: self._spool.read(closing.segments))
        except ArchiveError as error:
            self._unreachable = True
            raise ArchiveError(
                f"{error}; nothing is lost: what waits in {self._spool.folder} is stored at the next start"
            ) from error
        with self._spool_errors():
            return self._spool.mark_uploaded(closing)

    @contextmanager
    def _spool_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArchiveError(
                f"the archive's spool {self._spool.folder} cannot be used: {error.strerror}:"
                " make it a writable folder with free space"
            ) from error
        except ValueError as error:
            raise ArchiveError(
                f"the archive's spool {self._spool.folder} holds a file that no archive wrote: move it away"
            ) from error
