"""What every source must do, as tests.

Subclass in a test module and say how records get into the source::

    class TestMySource(SourceContract):
        @pytest.fixture
        def open_source(self, tmp_path: Path) -> OpenSource: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Final

import pytest

from lpa_core.records import RecordBatch
from lpa_core.sources.source import Source

OpenSource = Callable[[Sequence[bytes]], Source]
"""Takes records, none of which has a line break in it; gives a new source that has them, and nothing else."""

RECORDS: Final = (
    b'{"id": "1"}',
    b"not JSON",
    b'{"text": "\xc3\xa4 \xf0\x9f\x98\x80"}',
    b"\xff\x00\xfe",
    b"x" * 5_000,
    b"{}",
)
ALL: Final = 1_000_000
UNBOUNDED: Final = 1 << 40


def batches(source: Source, max_records: int = ALL, max_bytes: int = UNBOUNDED) -> Iterator[RecordBatch]:
    """All batches up to the end."""
    while (batch := source.read(max_records, max_bytes)) is not None:
        yield batch


class SourceContract:
    """For every source."""

    @pytest.fixture
    def open_source(self) -> OpenSource:
        raise NotImplementedError("override the fixture open_source")

    def test_records_come_as_they_are_in_their_order(self, open_source: OpenSource) -> None:
        with closing(open_source(RECORDS)) as source:
            source.seek(0, "")
            read = [*batches(source)]
            assert [value for batch in read for value in batch.values] == [*RECORDS]
            offsets = [offset for batch in read for offset in batch.offsets]
            assert offsets == sorted(set(offsets))
            assert {(batch.topic, batch.partition) for batch in read} == {(source.topic, source.partition)}
            assert source.read(ALL, UNBOUNDED) is None
            assert source.size is None or source.bytes_read <= source.size

    def test_a_source_without_records_ends_at_once(self, open_source: OpenSource) -> None:
        with closing(open_source([])) as source:
            source.seek(0, "")
            assert source.read(ALL, UNBOUNDED) is None

    @pytest.mark.parametrize("most", [1, 2, 5])
    def test_a_batch_has_at_most_so_many_records(self, open_source: OpenSource, most: int) -> None:
        with closing(open_source(RECORDS)) as source:
            source.seek(0, "")
            sizes = [len(batch) for batch in batches(source, most)]
        assert all(1 <= size <= most for size in sizes)
        assert sum(sizes) == len(RECORDS)

    def test_a_batch_closes_when_its_bytes_are_too_many_and_has_one_record_at_least(
        self, open_source: OpenSource
    ) -> None:
        large = [b"%d" % number * 100_000 for number in range(10, 90)]
        with closing(open_source(large)) as source:
            source.seek(0, "")
            read = [*batches(source, max_bytes=100_000)]
        assert [value for batch in read for value in batch.values] == large
        assert len(read) > 2, "16 MB are not one batch of 100 kB"

    def test_the_same_is_read_again(self, open_source: OpenSource) -> None:
        with closing(open_source(RECORDS)) as first, closing(open_source(RECORDS)) as second:
            if not (first.repeatable and second.repeatable):
                pytest.skip("this source does not say that it can be read again")
            for source in (first, second):
                source.seek(0, "")
            assert [*map(_content, batches(first, 2))] == [*map(_content, batches(second, 2))]

    @pytest.mark.parametrize("before", [1, 2, 3, len(RECORDS)])
    def test_reading_goes_on_after_any_batch(self, open_source: OpenSource, before: int) -> None:
        with closing(open_source(RECORDS)) as first:
            if not first.repeatable:
                pytest.skip("this source does not say that it can be read again")
            first.seek(0, "")
            batch = first.read(before, UNBOUNDED)
            assert batch is not None
            rest = [value for each in batches(first) for value in each.values]
        with closing(open_source(RECORDS)) as again:
            again.seek(batch.offsets[-1] + 1, batch.resume)
            assert [value for each in batches(again) for value in each.values] == rest

    def test_it_can_be_closed_twice_and_unread(self, open_source: OpenSource) -> None:
        source = open_source(RECORDS)
        source.close()
        source.close()


def _content(batch: RecordBatch) -> tuple[object, ...]:
    return [*batch.offsets], [*batch.values], batch.resume
