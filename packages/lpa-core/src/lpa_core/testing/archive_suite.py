"""What every archive must do, as tests.

Subclass in a test module and say where the archive is and how to read it back::

    class TestMyArchive(ArchiveContract):
        @pytest.fixture
        def place(self, tmp_path: Path) -> ArchivePlace: ...
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

import pytest

from lpa_core.records import RecordBatch
from lpa_core.sinks.archive import Archive

NOON: Final = 1_767_870_000_000


class ArchivePlace(Protocol):
    """Where archives are made, and read back."""

    def archive(self) -> Archive:
        """A new archive in the same place each time, as a process that starts makes it."""
        ...

    def records(self) -> Sequence[bytes]:
        """The values of all records that are published there, in any order."""
        ...


def batch(first: int, *values: bytes, topic: str = "events", partition: int = 0) -> RecordBatch:
    """Consecutive records from an offset on."""
    return RecordBatch(topic, partition, range(first, first + len(values)), values, resume=str(first + len(values)))


class ArchiveContract:
    """For every archive. Records have no line break in them."""

    @pytest.fixture
    def place(self) -> ArchivePlace:
        raise NotImplementedError("override the fixture place")

    def test_records_are_kept_as_received(self, place: ArchivePlace) -> None:
        values = (b'{"id": "1"}', b"not JSON", b"\xff\x00\xfe", b"", b"x" * 100_000, b'{"id": "1"}')
        archive = place.archive()
        archive.recover()
        archive.write(batch(0, *values), NOON)
        archive.close()
        assert Counter(place.records()) == Counter(values)

    def test_a_range_that_comes_again_is_kept_once(self, place: ArchivePlace) -> None:
        archive = place.archive()
        archive.recover()
        archive.write(batch(0, b"a", b"b"), NOON)
        archive.write(batch(0, b"a", b"b"), NOON)
        archive.close()
        assert sorted(place.records()) == [b"a", b"b"]

    @pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
    def test_after_a_crash_the_range_that_comes_again_is_kept_once(self, place: ArchivePlace) -> None:
        killed = place.archive()
        killed.recover()
        killed.write(batch(0, b"a", b"b"), NOON)
        killed.write(batch(2, b"c"), NOON + 1)
        del killed  # what it holds open is closed, as the end of its process would
        gc.collect()
        archive = place.archive()
        archive.recover()
        archive.write(batch(2, b"c"), NOON + 1)
        archive.write(batch(3, b"d"), NOON + 2)
        archive.close()
        assert sorted(place.records()) == [b"a", b"b", b"c", b"d"]

    def test_partitions_and_topics_do_not_mix(self, place: ArchivePlace) -> None:
        archive = place.archive()
        archive.recover()
        archive.write(batch(0, b"a"), NOON)
        archive.write(batch(0, b"b", partition=1), NOON)
        archive.write(batch(0, b"c", topic="a topic: with=signs/'ü"), NOON)
        archive.close()
        assert sorted(place.records()) == [b"a", b"b", b"c"]

    def test_what_is_old_is_published_between_ranges(self, place: ArchivePlace) -> None:
        archive = place.archive()
        archive.recover()
        archive.write(batch(0, b"a"), NOON)
        archive.flush_due(NOON + 10 * 86_400_000)
        assert [*place.records()] == [b"a"]
        archive.close()

    def test_it_can_be_closed_twice_and_unused(self, place: ArchivePlace) -> None:
        archive = place.archive()
        archive.recover()
        archive.close()
        archive.close()
        assert [*place.records()] == []
