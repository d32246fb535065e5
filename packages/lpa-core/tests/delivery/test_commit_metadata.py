"""A prepared range survives being written beside an offset, and always finds room there."""

from __future__ import annotations

import random

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.delivery.commit_metadata import MAX_BYTES, MAX_SPAN, DamagedMetadataError, decode, encode, room, widest
from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.ranges import Range

PARTITION = Partition("events", 3)
FINGERPRINT = "0123456789abcdef"


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    start = draw(st.integers(0, 1 << 62))
    span = draw(st.integers(1, MAX_SPAN))
    offsets = st.integers(start, start + span - 1)
    refused = draw(st.dictionaries(offsets, st.sampled_from(["too large", "constraint c", "ä 'quoted'"]), max_size=30))
    return Range(
        topic=PARTITION.topic,
        partition=PARTITION.number,
        start=start,
        end=start + span,
        count=draw(st.integers(1, span)),
        resume="",
        batch_time=draw(st.integers(0, 1 << 42)),
        refused=refused,
        duplicates=draw(st.frozensets(offsets, max_size=50)),
        next_offset=start + span + draw(st.integers(0, 1 << 20)),
    )


@given(ranges())
def test_what_is_written_is_read_back(range_: Range) -> None:
    prepared = decode(PARTITION, encode(range_, FINGERPRINT))
    assert prepared is not None
    assert prepared.range == range_
    assert prepared.fingerprint == FINGERPRINT


@pytest.mark.slow
@given(st.integers(0, 1 << 32))
def test_the_worst_range_finds_room(seed: int) -> None:
    """Half of the records duplicates, the other half refused, each for a reason of its own."""
    offsets = list(range(1 << 62, (1 << 62) + MAX_SPAN))
    random.Random(seed).shuffle(offsets)
    half = MAX_SPAN // 2
    range_ = Range(
        topic=PARTITION.topic,
        partition=PARTITION.number,
        start=1 << 62,
        end=(1 << 62) + MAX_SPAN,
        count=MAX_SPAN,
        resume="",
        batch_time=1 << 42,
        refused={offset: f"a reason with some words in it, number {offset}" for offset in offsets[half:]},
        duplicates=frozenset(offsets[:half]),
    )
    text = encode(range_, FINGERPRINT)
    assert len(text.encode()) <= MAX_BYTES
    prepared = decode(PARTITION, text)
    assert prepared is not None
    assert prepared.range.refused.keys() == range_.refused.keys()
    assert attrs.evolve(prepared.range, refused={}) == attrs.evolve(range_, refused={})


@settings(max_examples=8)
@given(st.integers(1, MAX_SPAN), st.integers(0, 1 << 32))
def test_failure_12_a_range_finds_the_room_that_is_told_beforehand(span: int, seed: int) -> None:
    chance = random.Random(seed)
    start = (1 << 63) - 1 - span
    offsets = [offset for offset in range(start, start + span) if chance.random() < 0.5]
    refused = {offset: f"reason {offset} " * 20 for offset in range(start, start + span) if chance.random() < 0.5}
    range_ = Range("events", 3, start, start + span, span, "", (1 << 43), refused, frozenset(offsets))
    text = encode(range_, FINGERPRINT, room(span))
    assert len(text.encode()) <= room(span)
    prepared = decode(PARTITION, text)
    assert prepared is not None
    assert prepared.range.duplicates == range_.duplicates
    assert prepared.range.refused.keys() == refused.keys()


def test_failure_12_reasons_that_are_a_few_bytes_too_long_are_left_out() -> None:
    """One more with each range, so some range is just beyond the room."""
    kept = []
    for number in range(1, 150):
        refused = {offset: f"reason {offset:40}" for offset in range(number)}
        text = encode(Range("events", 3, 0, number, number, "", 1 << 42, refused), FINGERPRINT)
        assert len(text.encode()) <= MAX_BYTES
        prepared = decode(PARTITION, text)
        assert prepared is not None
        assert prepared.range.refused.keys() == refused.keys()
        kept.append(prepared.range.refused == refused)
    assert kept == sorted(kept, reverse=True)
    assert set(kept) == {True, False}


def test_failure_12_the_widest_range_is_the_last_that_finds_room() -> None:
    for limit in (512, 1_000, 2_000, 3_500):
        assert room(widest(limit)) <= limit < room(widest(limit) + 1)
    assert room(MAX_SPAN) <= MAX_BYTES
    assert widest(MAX_BYTES) == MAX_SPAN
    assert widest(100) == 0


@pytest.mark.parametrize("text", ["", "something of somebody else", "{}"])
def test_other_texts_name_no_range(text: str) -> None:
    assert decode(PARTITION, text) is None


@pytest.mark.parametrize("text", ["lpa1:", "lpa1:{}", "lpa1:nonsense", 'lpa1:{"s":1,"e":2,"n":1,"t":5,"d":"!!"}'])
def test_damaged_metadata_are_told(text: str) -> None:
    with pytest.raises(DamagedMetadataError, match=r"the commit metadata of events\[3\] is damaged"):
        decode(PARTITION, text)


def test_failure_13_a_range_of_before_there_were_gaps_goes_on_at_its_end() -> None:
    prepared = decode(PARTITION, 'lpa1:{"s":3,"e":9,"n":5,"t":1767900000000}')
    assert prepared is not None
    assert (prepared.range.end, prepared.range.next_offset) == (9, 9)
