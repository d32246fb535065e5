"""The delivery under a seeded scheduler: right under every schedule, and every broken protocol is found out."""

from __future__ import annotations

import gc
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest import mock

import pytest
from greenlet import greenlet

from lpa_core.dedup.digest import digests
from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.dedup.store import DedupStore
from lpa_core.delivery import range_steps, writer
from lpa_core.delivery.consumer_group import (
    BrokerUnavailable,
    Commit,
    CommitUncertainError,
    Membership,
    OutgoingRecord,
    Partition,
    TakenOverError,
)
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.partitions import PartitionState
from lpa_core.delivery.pending_range import Delivery, PendingRange
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.writer import Writer
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position
from lpa_core.tables.table import Block, Table
from lpa_core.testing.simulation import SimulationResult, many_worlds, simulate
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.many_worlds import Tally
from lpa_core.testing.simulation.sink import SimulatedSink

WORLDS = 80
"""``./dev simulation`` runs 10,000."""
SEEDS = 150
"""Among which each broken protocol is found out."""


@pytest.fixture(scope="module")
def worlds() -> list[SimulationResult]:
    return [simulate(seed) for seed in range(WORLDS)]


def test_no_world_loses_or_repeats_anything(worlds: list[SimulationResult]) -> None:
    wrong = [outcome for outcome in worlds if outcome.violations]
    assert not wrong, "\n".join(f"seed {outcome.seed}: {outcome.violations}" for outcome in wrong)


def test_failure_03_worlds_lose_offsets_and_operators_set_them_right(worlds: list[SimulationResult]) -> None:
    told = ["\n".join(outcome.trace) for outcome in worlds]
    for how in ("metadata", "deleted", "set back"):
        assert any(f" {how}\n" in trace and "an operator:" in trace for trace in told), how


@pytest.mark.slow
def test_worlds_with_an_embedded_engine_write_ranges_of_several_partitions_together(
    worlds: list[SimulationResult],
) -> None:
    """Some of these inserts are broken off, and some of the partitions are away meanwhile."""
    told = [[line for line in outcome.trace if "under together" in line] for outcome in worlds]
    several = [lines for lines in told if any(len(set(re.findall(r"\((\d+), ", line))) > 1 for line in lines)]
    assert len(several) > WORLDS / 10
    traces = ["\n".join(outcome.trace) for outcome in worlds if any("under together" in line for line in outcome.trace)]
    assert any("a guest comes" in trace and ":completion:" in trace for trace in traces)


def test_a_seed_gives_the_same_world_again() -> None:
    assert simulate(17) == simulate(17)
    assert simulate(17).trace != simulate(18).trace


@pytest.mark.slow
def test_a_seed_gives_the_same_world_in_another_process() -> None:
    """Strings hash differently there: what depends on the order of a set would differ."""
    script = "from lpa_core.testing.simulation import simulate; print([simulate(seed).steps for seed in range(12)])"

    def steps(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert steps("1") == steps("2")


def test_no_stack_outlives_its_world() -> None:
    for seed in range(8):  # among them worlds whose workers crash
        simulate(seed)
    gc.collect()
    assert not [
        each for each in gc.get_objects() if isinstance(each, greenlet) and each and not each.dead and each.parent
    ]


def seeds_of(tmp_path: Path, end: int, stop_after: int | None = None) -> Tally:
    """Run the seeds from 0; the run is interrupted once so many have ended."""

    def progressed(tally: Tally) -> None:
        if stop_after is not None and tally.done >= stop_after:
            raise KeyboardInterrupt

    return many_worlds.run(
        0, end, jobs=1, record=tmp_path / "progress.json", violated=lambda outcome: None, progressed=progressed
    )


@pytest.mark.slow
def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    whole = seeds_of(tmp_path, 60)
    with pytest.raises(KeyboardInterrupt):
        seeds_of(tmp_path, 60, stop_after=20)
    stopped = many_worlds.taken_up(tmp_path / "progress.json", 0, 60)
    assert stopped is not None
    assert stopped.done == 20
    assert seeds_of(tmp_path, 60) == whole
    assert not (tmp_path / "progress.json").exists()


def test_a_run_of_other_code_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        seeds_of(tmp_path, 60, stop_after=20)
    with mock.patch.object(many_worlds, "_fingerprint", return_value="other code"):
        assert many_worlds.taken_up(tmp_path / "progress.json", 0, 60) is None


# The protocol with one of its steps broken, each the way somebody might once write it.


@contextmanager
def claim_before_validation() -> Iterator[None]:
    """Records that are then rejected hold keys, too."""

    def claim(pending: PendingRange, dedup: DedupStore) -> None:
        batch, verdicts = pending.batch, pending.verdicts
        keys = [verdict.dedup_key if type(verdict) is Accepted else verdict.event_id for verdict in verdicts]
        named = [key or f"none@{offset}" for key, offset in zip(keys, batch.offsets, strict=True)]
        pending.owners = dedup.claim(named, batch.topic, batch.partition, batch.offsets, pending.range.batch_time)

    with mock.patch.object(range_steps, "claim", claim), mock.patch.object(writer, "claim", claim):
        yield


@contextmanager
def dedup_without_owner() -> Iterator[None]:
    """A key that is there makes a duplicate, whoever brought it."""
    claim_rightly = MemoryDedupStore.claim

    def claim(
        self: MemoryDedupStore, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int], batch_time: int
    ) -> list[Position | None]:
        there = [self._claims.get(digest) for digest in digests(keys)]
        owners = claim_rightly(self, keys, topic, partition, offsets, batch_time)
        return [owner or (claim and claim[1]) for owner, claim in zip(owners, there, strict=True)]

    with mock.patch.object(MemoryDedupStore, "claim", claim):
        yield


@contextmanager
def commit_before_write() -> Iterator[None]:
    """A range is finished, then written."""

    def run(self: Writer) -> None:
        while following := self._next([]):
            self._commit([], following)
            self._commit(following, [])
            self._current = following
            for delivery in following:
                self._deliver(delivery)

    with mock.patch.object(Writer, "run", run):
        yield


@contextmanager
def token_without_range() -> Iterator[None]:
    """Each attempt at a block has a token of its own."""
    numbers = itertools.count()

    def token(self: Range, table: Table) -> str:
        return f"{self.topic}:{self.partition}:{next(numbers)}:{table.name}"

    with mock.patch.object(Range, "token", token):
        yield


@contextmanager
def write_without_prepare() -> Iterator[None]:
    """Only finishing is committed."""
    commit = Writer._commit

    def only_finish(self: Writer, finished: Sequence[Delivery], prepared: list[Delivery]) -> None:
        if finished:
            commit(self, finished, [])

    with mock.patch.object(Writer, "_commit", only_finish):
        yield


@contextmanager
def changed_range_and_no_second_prepare() -> Iterator[None]:
    """After a lost answer a range is closed anew with what came meanwhile; a range that is found is just written."""
    commit, watch = Writer._commit, GroupWorker._watch_writer
    unanswered: list[PartitionState] = []

    def careless(self: Writer, finished: Sequence[Delivery], prepared: list[Delivery]) -> None:
        found = [delivery for delivery in prepared if delivery.repeated]
        prepared[:] = [delivery for delivery in prepared if not delivery.repeated]
        try:
            commit(self, finished, prepared)
        except CommitUncertainError:
            if finished:
                raise
            unanswered.extend(delivery.state for delivery in prepared)
            prepared.clear()
        prepared.extend(found)

    def read_again(self: GroupWorker) -> None:
        watch(self)
        for state in [state for state in self._states.values() if state in unanswered]:
            if not self._writer.works_on([state]) and not self._holds(state):
                unanswered.remove(state)
                state.buffer.clear()
                assert state.committed is not None
                state.next_offset = state.committed.offset
                self._group.start(state.partition, state.next_offset)

    with (
        mock.patch.object(Writer, "_commit", careless),
        mock.patch.object(GroupWorker, "_watch_writer", read_again),
    ):
        yield


@contextmanager
def repeat_by_token_alone() -> Iterator[None]:
    """A block that may be written already is written again, and the database trusted to drop it."""

    def complete(self: SimulatedSink, block: Block) -> None:
        self.write(block)

    with mock.patch.object(SimulatedSink, "complete", complete):
        yield


@contextmanager
def repeat_together() -> Iterator[None]:
    """Ranges that may be written already are written together with whatever comes with them now."""
    deliver = Writer._deliver

    def together(self: Writer, cycle: Sequence[Delivery]) -> list[Delivery]:
        for delivery in cycle:
            delivery.repeated = False
        return deliver(self, cycle)

    with mock.patch.object(Writer, "_deliver", together):
        yield


@contextmanager
def write_alone_what_was_refused_together() -> Iterator[None]:
    """Tables that took all the ranges before another refused some rows are given them once more."""
    write = Writer._write_together

    def forgetful(self: Writer, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        written = write(self, deliveries)
        for delivery in deliveries:
            delivery.repeated = False
        return written

    with mock.patch.object(Writer, "_write_together", forgetful):
        yield


@contextmanager
def same_session_after_an_uncertain_commit() -> Iterator[None]:
    """What is committed is asked for, and the session goes on: a delayed request may still decide otherwise."""
    commit = SimulatedGroup.commit

    def trusting(
        self: SimulatedGroup,
        membership: Membership,
        commits: Mapping[Partition, Commit],
        records: Sequence[OutgoingRecord] = (),
    ) -> None:
        try:
            commit(self, membership, commits, records)
        except TakenOverError:
            raise
        except CommitUncertainError:
            if self.committed(list(commits)) != commits:
                raise BrokerUnavailable("it was not committed") from None

    with mock.patch.object(SimulatedGroup, "commit", trusting):
        yield


@contextmanager
def trust_what_is_committed() -> Iterator[None]:
    """No sink is asked what it holds: offsets that are gone or were set back are believed."""
    with mock.patch.object(SimulatedSink, "stored_from", return_value={}):
        yield


BROKEN: dict[str, Callable[[], AbstractContextManager[None]]] = {
    function.__name__: function
    for function in (
        claim_before_validation,
        dedup_without_owner,
        commit_before_write,
        token_without_range,
        write_without_prepare,
        changed_range_and_no_second_prepare,
        repeat_by_token_alone,
        repeat_together,
        write_alone_what_was_refused_together,
        same_session_after_an_uncertain_commit,
        trust_what_is_committed,
    )
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_protocol_is_found_out(name: str) -> None:
    with BROKEN[name]():
        found = next((o for o in map(simulate, range(SEEDS)) if o.violations), None)
    assert isinstance(found, SimulationResult), f"no world shows what is wrong with: {name}"
