"""The set of digests against Python's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lpa_replay.seen import Seen, digest


@given(st.lists(st.integers(1, 2**64 - 1) | st.integers(1, 50)))
def test_it_tells_what_is_new_as_a_set_does(digests: list[int]) -> None:
    seen, model = Seen(), set[int]()
    for each in digests:
        assert seen.add(each) == (each not in model)
        model.add(each)


def test_it_grows() -> None:
    seen = Seen()
    assert all(seen.add(digest(str(number))) for number in range(20_000))
    assert not any(seen.add(digest(str(number))) for number in range(20_000))
