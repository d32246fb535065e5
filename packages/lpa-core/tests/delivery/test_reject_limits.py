"""A flood of dead letters stops a worker; what the limits allow does not."""

from __future__ import annotations

from itertools import count

import pytest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.limits import RejectLimitError, RejectLimits
from lpa_core.delivery.partitions import PartitionState
from lpa_core.delivery.pending_range import PendingRange, build_blocks, claim
from lpa_core.delivery.ranges import Range
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch

NOW = 1_700_000_000_000
PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)
DATA = '{"stream_id": "s", "request_id": "r", "type": "t"}'
GOOD = f'{{"id": "%s", "type": "stream_trace", "timestamp": {NOW}, "data": {DATA}}}'


class Ranges:
    """Ranges of one partition, one after the other."""

    def __init__(self) -> None:
        self.state = PartitionState(Partition("events", 0))
        self._offsets, self._dedup = count(), MemoryDedupStore(86_400_000)

    def of(self, letters: str) -> PendingRange:
        """A record for each letter: g good, d a dead letter, r a repetition of the record of the id 0."""
        offsets = [next(self._offsets) for _ in letters]
        texts = {"g": lambda offset: GOOD % offset, "d": lambda _: "no JSON", "r": lambda _: GOOD % 0}
        values = [texts[letter](offset).encode() for letter, offset in zip(letters, offsets, strict=True)]
        batch = RecordBatch("events", 0, offsets, values, [NOW] * len(values))
        range_ = Range("events", 0, offsets[0], offsets[-1] + 1, len(offsets), "", NOW)
        pending = PendingRange(batch, PIPELINE.judge(batch, NOW), range_)
        claim(pending, self._dedup)
        build_blocks(pending, PIPELINE)
        return pending


@pytest.fixture
def ranges() -> Ranges:
    return Ranges()


def test_a_share_that_is_allowed_is_let_through_and_one_more_is_not(ranges: Ranges) -> None:
    limits = RejectLimits(share=0.5)
    limits.check(ranges.state, ranges.of("gdgd"))
    with pytest.raises(RejectLimitError, match=r"75% of a range would be .* more than QUALITY_REJECT_LIMIT_SHARE"):
        limits.check(ranges.state, ranges.of("gddd"))


def test_dead_letters_in_a_row_are_counted_over_ranges(ranges: Ranges) -> None:
    limits = RejectLimits(run=3)
    limits.check(ranges.state, ranges.of("gdd"))
    limits.check(ranges.state, ranges.of("dg"))
    limits.check(ranges.state, ranges.of("ddd"))
    with pytest.raises(RejectLimitError, match=r"4 in a row would be .* more than QUALITY_REJECT_LIMIT_CONSECUTIVE"):
        limits.check(ranges.state, ranges.of("dg"))


def test_a_good_record_ends_a_row(ranges: Ranges) -> None:
    limits = RejectLimits(run=2)
    for letters in ("ddg", "ddg", "gdgdgdd"):
        limits.check(ranges.state, ranges.of(letters))
    assert ranges.state.rejected_run == 2
    limits.check(ranges.state, ranges.of("g"))
    assert ranges.state.rejected_run == 0


def test_repetitions_are_no_dead_letters(ranges: Ranges) -> None:
    limits = RejectLimits(share=0.1, run=1)
    limits.check(ranges.state, ranges.of("grrrrrr"))
    with pytest.raises(RejectLimitError):
        limits.check(ranges.state, ranges.of("gdddddd"))


def test_without_limits_nothing_stops(ranges: Ranges) -> None:
    RejectLimits().check(ranges.state, ranges.of("dddddddd"))
    with pytest.raises(RejectLimitError):
        RejectLimits(run=7).check(ranges.state, ranges.of("dddddddd"))
