"""Gaps between offsets."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lpa_core.tables.known_gaps import OffsetSpan, gaps


@given(st.integers(0, 1 << 40), st.sets(st.integers(0, 60)), st.integers(0, 70))
def test_failure_13_offsets_and_gaps_are_all_there_is(first: int, some: set[int], length: int) -> None:
    offsets = sorted(first + each for each in some if each < length)
    found = list(gaps(first, offsets, first + length))
    covered = [offset for span in found for offset in range(*span)]
    assert sorted([*offsets, *covered]) == list(range(first, first + length))
    assert all(span.size > 0 for span in found)
    assert all(one.behind < other.first for one, other in pairwise(found)), "none touch"


def test_a_range_without_gaps_has_none() -> None:
    assert list(gaps(3, range(3, 10_000), 10_000)) == []
    assert list(gaps(5, [], 5)) == []
    assert list(gaps(5, [], 8)) == [OffsetSpan(5, 8)]
