"""Records that were read, and the ranges that are taken from them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lpa_core.delivery.partitions import Buffer
from lpa_core.records import RecordBatch


def batch(offsets: list[int], size: int = 1) -> RecordBatch:
    return RecordBatch("t", 0, offsets, [b"x" * size for _ in offsets], [offset * 10 for offset in offsets])


@given(
    st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=8), min_size=1, max_size=6),
    st.integers(1, 10),
    st.integers(1, 40),
    st.integers(1, 30),
)
def test_records_come_out_as_they_went_in(steps: list[list[int]], most: int, size: int, span: int) -> None:
    """``steps`` are the distances between offsets: compacted topics have gaps."""
    buffer, offset, put = Buffer(), 0, []
    for some in steps:
        offsets = []
        for step in some:
            offset += step
            offsets.append(offset)
        put += offsets
        buffer.add(batch(offsets, size=3), 0.0)
    taken: list[int] = []
    while buffer.records:
        before = buffer.bytes
        one = buffer.take(most, size, span)
        assert 1 <= len(one) <= most
        assert one.offsets[-1] - one.offsets[0] < span
        assert (len(one) - 1) * 3 < size
        assert list(one.timestamps or ()) == [o * 10 for o in one.offsets]
        assert before - buffer.bytes == 3 * len(one)
        taken += one.offsets
    assert taken == put
    assert buffer.bytes == 0


def test_nothing_is_taken_behind_the_end() -> None:
    buffer = Buffer()
    buffer.add(batch([5, 6, 9]), 0.0)
    buffer.add(batch([10, 11]), 0.0)
    assert list(buffer.take(100, 100, 100, until=10).offsets) == [5, 6, 9]
    assert list(buffer.take(100, 100, 100).offsets) == [10, 11]


def test_time_counts_from_the_first_record() -> None:
    buffer = Buffer()
    buffer.add(batch([1]), 3.0)
    buffer.add(batch([2]), 4.0)
    assert buffer.since == 3.0
    assert buffer.next_offset == 3
    buffer.take(2, 100, 100)
    buffer.add(batch([3]), 9.0)
    assert buffer.since == 9.0
