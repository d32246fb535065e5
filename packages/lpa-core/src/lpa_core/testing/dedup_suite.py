"""What every dedup store must do, as tests.

Subclass in a test module and say how a store is made::

    class TestMyStore(ExpiryContract, DurableContract, SnapshotContract, DedupStoreContract):
        @pytest.fixture
        def make_store(self, tmp_path: Path) -> Iterator[MakeStore]: ...

Each fixture returns a function that the tests call. Every store that keeps its own claims takes ExpiryContract, one
that several workers have open at once SharedContract.

In a ``conftest.py``, ``pytest.register_assert_rewrite("lpa_core.testing.dedup_suite")`` makes failures show values.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.dedup.store import DedupStore, DedupStoreUnavailable
from lpa_core.records import Position
from lpa_core.testing.dedup_model import ClaimStep, DictionaryModel, ReleaseStep, steps

TTL = 120_000
"""Of stores that no test gives another: ms."""
NOON = 1_767_870_000_000

MakeStore = Callable[[int], DedupStore]
"""Takes the TTL in ms; gives a new store without claims. Called several times in one test."""

FIRST = Position("events", 0, 10)
SECOND = Position("events", 0, 20)


def claim(store: DedupStore, key: str, position: Position, batch_time: int = NOON) -> Position | None:
    """The answer for one key."""
    return store.claim([key], position.topic, position.partition, [position.offset], batch_time)[0]


def release(store: DedupStore, key: str, position: Position) -> None:
    store.release([key], position.topic, position.partition, [position.offset])


class DedupStoreContract:
    """For every store."""

    @pytest.fixture
    def make_store(self) -> MakeStore:
        raise NotImplementedError("override the fixture make_store")

    @pytest.fixture
    def store(self, make_store: MakeStore) -> DedupStore:
        return make_store(TTL)

    def test_first_of_equal_keys_in_one_batch_wins(self, store: DedupStore) -> None:
        answers = store.claim(["a", "b", "a", "a"], "events", 0, [5, 6, 7, 8], NOON)
        assert answers == [None, None, Position("events", 0, 5), Position("events", 0, 5)]

    def test_a_claimed_key_has_its_owner(self, store: DedupStore) -> None:
        assert claim(store, "a", FIRST) is None
        assert claim(store, "a", SECOND) == FIRST

    def test_every_part_of_the_position_counts(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        for other in (Position("other", 0, 10), Position("events", 1, 10), Position("events", 0, 11)):
            assert claim(store, "a", other) == FIRST

    def test_keys_are_compared_whole(self, store: DedupStore) -> None:
        keys = ["", " ", "a", "A", "a ", "a\x00", "ä", "a\u0308", "\U0001f600", "a" * 1_000_000, "a" * 999_999 + "b"]
        offsets = range(len(keys))
        assert store.claim(keys, "events", 0, offsets, NOON) == [None] * len(keys)
        owners = store.claim(keys, "events", 1, offsets, NOON)
        assert owners == [Position("events", 0, offset) for offset in offsets]

    def test_positions_come_back_as_they_were(self, store: DedupStore) -> None:
        positions = [
            Position("a topic: with=signs\t'ü", 0, 0),
            Position("t", 2**31 - 1, 2**63 - 1),
            Position("файл 1.ndjson", 0, 7),
        ]
        for number, position in enumerate(positions):
            assert claim(store, str(number), position) is None
        assert [claim(store, str(number), FIRST) for number in range(len(positions))] == positions

    def test_own_claim_is_no_duplicate(self, store: DedupStore) -> None:
        assert claim(store, "a", FIRST) is None
        assert claim(store, "a", FIRST, NOON + 1) is None

    def test_own_claim_keeps_its_time(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        claim(store, "a", FIRST, NOON + TTL)
        assert claim(store, "a", SECOND, NOON + TTL + 1) is None

    def test_a_duplicate_does_not_prolong_the_claim(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        claim(store, "a", SECOND, NOON + TTL)
        assert claim(store, "a", SECOND, NOON + TTL + 1) is None

    def test_a_claim_lasts_for_exactly_the_ttl(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        assert claim(store, "a", SECOND, NOON + TTL) == FIRST
        assert claim(store, "a", SECOND, NOON + TTL + 1) is None
        assert claim(store, "a", FIRST, NOON + TTL + 1) == SECOND

    def test_an_expired_key_is_claimed_once_in_a_batch(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        later = store.claim(["a", "a"], "events", 0, [20, 30], NOON + TTL + 1)
        assert later == [None, SECOND]

    def test_an_expired_claim_of_ones_own_begins_anew(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        claim(store, "a", FIRST, NOON + TTL + 1)
        assert claim(store, "a", SECOND, NOON + 2 * TTL + 1) == FIRST

    def test_a_batch_time_that_goes_back_meets_newer_claims(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        claim(store, "b", FIRST, NOON + TTL)
        assert claim(store, "b", SECOND, NOON + 1) == FIRST
        assert claim(store, "a", SECOND, NOON + 1) == FIRST
        assert claim(store, "c", FIRST, NOON + 1) is None
        assert claim(store, "c", SECOND, NOON + TTL + 1) == FIRST

    def test_the_owner_gives_its_claim_back(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        release(store, "a", FIRST)
        assert claim(store, "a", SECOND) is None
        assert claim(store, "a", FIRST) == SECOND

    def test_only_the_owner_gives_a_claim_back(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        for other in (SECOND, Position("events", 1, 10), Position("other", 0, 10)):
            release(store, "a", other)
        release(store, "never claimed", FIRST)
        assert claim(store, "a", SECOND) == FIRST

    def test_release_looks_at_each_index(self, store: DedupStore) -> None:
        store.claim(["a", "b", "c"], "events", 0, [1, 2, 3], NOON)
        store.release(["a", "b", "c"], "events", 0, [1, 9, 3])
        assert store.claim(["a", "b", "c"], "events", 0, [11, 12, 13], NOON) == [None, Position("events", 0, 2), None]

    def test_a_repeated_batch_gets_the_same_answers(self, store: DedupStore) -> None:
        claim(store, "b", FIRST)
        keys, offsets = ["a", "b", "a", "c", "d"], [30, 31, 32, 33, 34]
        first = store.claim(keys, "events", 1, offsets, NOON + 5)
        assert store.claim(keys, "events", 1, offsets, NOON + 5) == first
        assert store.claim(keys, "events", 1, offsets, NOON + 9) == first
        assert first == [None, FIRST, Position("events", 1, 30), None, None]

    def test_large_batches(self, store: DedupStore) -> None:
        keys = [f"key {number}" for number in range(5_000)]
        offsets = range(100, 5_100)
        assert set(store.claim(keys, "events", 0, offsets, NOON)) == {None}
        again = store.claim(["new", *keys], "events", 1, range(5_001), NOON)
        assert again == [None, *(Position("events", 0, offset) for offset in offsets)]

    def test_an_empty_batch(self, store: DedupStore) -> None:
        assert store.claim([], "events", 0, [], NOON) == []
        store.release([], "events", 0, [])
        assert claim(store, "a", FIRST) is None

    def test_keys_and_offsets_must_be_as_many(self, store: DedupStore) -> None:
        with pytest.raises(ValueError):
            store.claim(["a", "b"], "events", 0, [1], NOON)
        assert claim(store, "a", FIRST) is None

    def test_statistics_count_keys(self, store: DedupStore) -> None:
        before = store.statistics()
        store.claim([str(number) for number in range(1_000)], "events", 0, range(1_000), NOON)
        after = store.statistics()
        assert 900 <= after.keys - before.keys <= 1_100
        assert after.bytes_on_disk >= 0

    def test_closing_twice(self, store: DedupStore) -> None:
        claim(store, "a", FIRST)
        store.close()
        store.close()

    def test_answers_as_a_dictionary_would(self, make_store: MakeStore) -> None:
        @settings(max_examples=50, deadline=None)
        @given(st.lists(steps(TTL), max_size=12))
        def compare(steps: list[ClaimStep | ReleaseStep]) -> None:
            store, model, time = make_store(TTL), DictionaryModel(TTL), NOON
            for step in steps:
                if isinstance(step, ReleaseStep):
                    store.release(step.keys, step.topic, step.partition, step.offsets)
                    model.release(step.keys, step.topic, step.partition, step.offsets)
                else:
                    time += step.later
                    answers = store.claim(step.keys, step.topic, step.partition, step.offsets, time)
                    assert answers == model.claim(step.keys, step.topic, step.partition, step.offsets, time)
            store.close()

        compare()


class DurableContract:
    """For stores whose claims outlive the process: in addition to :class:`DedupStoreContract`."""

    @pytest.fixture
    def reopen(self) -> Callable[[], DedupStore]:
        """Gives a store on the claims of the one that was made last, which is closed, with a TTL of :data:`TTL`."""
        raise NotImplementedError("override the fixture reopen")

    def test_claims_outlive_the_store(self, store: DedupStore, reopen: Callable[[], DedupStore]) -> None:
        claim(store, "a", FIRST)
        claim(store, "b", FIRST)
        claim(store, "c", Position("other", 3, 1), NOON + TTL)
        release(store, "b", FIRST)
        store.close()
        again = reopen()
        assert claim(again, "a", SECOND) == FIRST
        assert claim(again, "b", SECOND) is None
        assert claim(again, "d", Position("third", 0, 0), NOON + TTL + 1) is None
        assert claim(again, "c", SECOND, NOON + TTL + 1) == Position("other", 3, 1)
        assert claim(again, "a", SECOND, NOON + TTL + 1) is None
        assert claim(again, "d", SECOND, NOON + TTL + 1) == Position("third", 0, 0)


class SharedContract:
    """For stores that several workers have open on the same claims: in addition to :class:`DedupStoreContract`.

    Workers share each store that is not ``memory`` or ``rocksdb``. One that locks its claims away from others when it
    is opened needs no such test: a second worker is refused.
    """

    @pytest.fixture
    def open_again(self) -> Callable[[], DedupStore]:
        """Gives a further store on the claims of the one that was made last, which stays open, with that TTL."""
        raise NotImplementedError("override the fixture open_again")

    def test_each_sees_what_the_other_claims_and_gives_back(
        self, store: DedupStore, open_again: Callable[[], DedupStore]
    ) -> None:
        with closing(open_again()) as other:
            assert claim(store, "a", FIRST) is None
            assert claim(other, "a", SECOND) == FIRST
            release(store, "a", FIRST)
            assert claim(other, "a", SECOND) is None
            assert claim(store, "a", FIRST) == SECOND

    def test_of_two_that_claim_a_key_at_once_exactly_one_owns_it(
        self, store: DedupStore, open_again: Callable[[], DedupStore]
    ) -> None:
        with closing(open_again()) as other, ThreadPoolExecutor(2) as threads:
            for race in range(100):
                keys = [f"{race} {number}" for number in range(20)]
                answers = threads.map(_claimed, (store, other), (keys, keys), (0, 1))
                for one, two in zip(*answers, strict=True):
                    assert (one is None) != (two is None), f"two workers claimed a key at once: told {one} and {two}"


def _claimed(store: DedupStore, keys: Sequence[str], partition: int) -> list[Position | None]:
    """The answers of a store that may be busy with another worker's claims for a while."""
    for _ in range(1_000):
        with suppress(DedupStoreUnavailable):
            return store.claim(keys, "events", partition, range(len(keys)), NOON)
        time.sleep(0.01)
    raise AssertionError("it was unavailable a thousand times, as soon as another store claimed too")


class ExpiryContract:
    """For every store, in addition to :class:`DedupStoreContract`.

    Only one whose server removes expired claims by a clock of its own does without.
    """

    def test_expired_claims_are_removed(self, store: DedupStore) -> None:
        """Of claims that are made for ever, no more are kept than those of a few TTLs."""
        most = 0
        for batch in range(40):
            keys = [f"{batch} {number}" for number in range(500)]
            store.claim(keys, "events", 0, range(batch * 500, batch * 500 + 500), NOON + batch * TTL)
            most = max(most, store.statistics().keys)
        assert most < 20 * 500, f"{most:,} of 20,000 claims are kept, and only those of the last TTL count"
        assert claim(store, "39 0", SECOND, NOON + 40 * TTL) == Position("events", 0, 39 * 500)


class SnapshotContract:
    """For stores that take snapshots: in addition to :class:`DedupStoreContract`."""

    @pytest.fixture
    def open_snapshot(self) -> Callable[[Path], DedupStore]:
        """Takes a snapshot's folder; gives a store on it, with a TTL of :data:`TTL`."""
        raise NotImplementedError("override the fixture open_snapshot")

    def test_a_snapshot_holds_the_claims_as_they_were(
        self, store: DedupStore, tmp_path: Path, open_snapshot: Callable[[Path], DedupStore]
    ) -> None:
        claim(store, "a", FIRST)
        claim(store, "b", Position("ü", 7, 2**40), NOON + 5)
        store.snapshot(tmp_path / "new" / "snapshot")
        claim(store, "c", FIRST)
        release(store, "a", FIRST)

        copy = open_snapshot(tmp_path / "new" / "snapshot")
        assert claim(copy, "a", SECOND, NOON + TTL) == FIRST
        assert claim(copy, "a", SECOND, NOON + TTL + 1) is None
        assert claim(copy, "b", SECOND, NOON + TTL + 5) == Position("ü", 7, 2**40)
        assert claim(copy, "c", SECOND, NOON + TTL + 5) is None
        assert claim(store, "a", SECOND, NOON + 6) is None
        assert claim(store, "c", SECOND, NOON + 6) == FIRST
        copy.close()

    def test_a_store_without_claims_can_be_copied(
        self, store: DedupStore, tmp_path: Path, open_snapshot: Callable[[Path], DedupStore]
    ) -> None:
        store.snapshot(tmp_path / "snapshot")
        copy = open_snapshot(tmp_path / "snapshot")
        assert claim(copy, "a", FIRST) is None
        copy.close()

    def test_a_snapshot_overwrites_nothing(self, store: DedupStore, tmp_path: Path) -> None:
        kept = tmp_path / "snapshot" / "kept"
        kept.parent.mkdir()
        kept.write_text("kept")
        with pytest.raises(FileExistsError):
            store.snapshot(kept.parent)
        assert [file.name for file in kept.parent.iterdir()] == ["kept"]
