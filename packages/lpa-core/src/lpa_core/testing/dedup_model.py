"""What a dedup store is compared with: a dictionary, and random claims and releases for both."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from hypothesis import strategies as st

from lpa_core.records import Position


class DictionaryModel:
    """The contract of a dedup store in its plainest form."""

    def __init__(self, ttl_ms: int) -> None:
        self._ttl = ttl_ms
        self._claims: dict[str, tuple[int, Position]] = {}

    def claim(
        self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int], batch_time: int
    ) -> list[Position | None]:
        answers: list[Position | None] = []
        for key, offset in zip(keys, offsets, strict=True):
            position = Position(topic, partition, offset)
            claimed_at, owner = self._claims.get(key, (batch_time, position))
            if batch_time - claimed_at > self._ttl:
                claimed_at, owner = batch_time, position
            self._claims[key] = (claimed_at, owner)
            answers.append(None if owner == position else owner)
        return answers

    def release(self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int]) -> None:
        for key, offset in zip(keys, offsets, strict=True):
            if key in self._claims and self._claims[key][1] == Position(topic, partition, offset):
                del self._claims[key]


@attrs.frozen
class ClaimStep:
    keys: list[str]
    topic: str
    partition: int
    offsets: list[int]
    later: int
    """Ms between the batch time of the claims before and that of these."""


@attrs.frozen
class ReleaseStep:
    keys: list[str]
    topic: str
    partition: int
    offsets: list[int]


@st.composite
def steps(draw: st.DrawFn, ttl_ms: int) -> ClaimStep | ReleaseStep:
    """Claims and releases of few keys by few positions, so that they meet, around the edges of the TTL."""
    records = draw(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=5))
    keys, offsets = [key for key, _ in records], [offset for _, offset in records]
    topic, partition = draw(st.sampled_from(["events", "other"])), draw(st.integers(0, 1))
    if draw(st.sampled_from(["claim", "claim", "release"])) == "release":
        return ReleaseStep(keys, topic, partition, offsets)
    later = draw(st.sampled_from([0, 1, ttl_ms // 2, ttl_ms - 1, ttl_ms, ttl_ms + 1, 3 * ttl_ms]))
    return ClaimStep(keys, topic, partition, offsets, later)
