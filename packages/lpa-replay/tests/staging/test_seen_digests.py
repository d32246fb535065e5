"""The set of digests against Python's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lpa_core.records import Position
from lpa_replay.staging.seen_digests import Seen, digest

_digests = st.integers(-(2**63), 2**63 - 1).filter(bool)


@given(st.lists(_digests | st.integers(1, 50)))
def test_it_tells_what_is_new_as_a_set_does(digests: list[int]) -> None:
    seen, model = Seen(), set[int]()
    for each in digests:
        assert seen.add(each) == (each not in model)
        model.add(each)


def test_it_grows() -> None:
    seen = Seen()
    assert all(seen.add(digest(str(number))) for number in range(20_000))
    assert not any(seen.add(digest(str(number))) for number in range(20_000))


def test_neighbouring_positions_have_digests_of_their_own() -> None:
    """The same text at every partition and offset of a large topic is what a hash could stumble over."""
    digests = {digest(Position("t", partition, offset)) for partition in range(64) for offset in range(2_000)}
    assert len(digests) == 64 * 2_000
    assert 0 not in digests
    assert digest("") != 0
