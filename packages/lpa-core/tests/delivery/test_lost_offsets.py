"""Before a partition is read, what the sinks hold of it has to agree with what the group has committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import final

import pytest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.claims import THROUGH_FILE, DedupStores
from lpa_core.delivery.commit_metadata import encode
from lpa_core.delivery.consumer_group import Commit, OutgoingRecord, Partition, ReadableOffsets
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.offset_gaps import GapPolicy
from lpa_core.delivery.partitions import Phase
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.sinks.sink import Sink, SinkUnavailable, SupportsStoredOffsets
from lpa_core.tables.row_layout import RAW_TABLE
from lpa_core.testing.simulation.broker import Broker
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.records import PIPELINE, event
from lpa_core.testing.simulation.scheduler import Host, Scheduler, SimulatedBackground
from lpa_core.testing.simulation.sink import SimulatedDatabase, SimulatedSink

ZERO, ONE = Partition("events", 0), Partition("events", 1)
COUNT = 40
TTL_MS = 86_400_000

pytestmark = pytest.mark.usefixtures("quiet")


@final
class _Blind:
    """A sink that cannot say what it holds."""

    def __init__(self, sink: SimulatedSink) -> None:
        self.open, self.write, self.withdraw, self.close = sink.open, sink.write, sink.withdraw, sink.close


@final
class Group:
    """A group of two partitions, one worker after the other, without faults."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(1)
        self.broker = Broker(self.scheduler, "events", 2, faults=False)
        self.database = self.new_database()
        self.low: dict[Partition, int] = {}
        self.workers = 0
        self.claims: MemoryDedupStore | None = None
        """What a worker knows of before; None where it begins without."""
        self.folder: Path | None = None
        """Where a worker's machine remembers how far it has claims of each partition."""
        for partition, values in self.broker.log.items():
            values += [event(f"{partition.number}-{offset}") for offset in range(COUNT)]

    def new_database(self) -> SimulatedDatabase:
        return SimulatedDatabase(self.scheduler, lambda raw: False, faults=False)

    def run(
        self,
        policy: GapPolicy = GapPolicy.FAIL,
        sinks: Callable[[Host], Sequence[Sink]] | None = None,
        until: Callable[[Mapping[Partition, Phase]], bool] | None = None,
    ) -> dict[Partition, str]:
        """Let a worker deliver what it will; answer what it leaves to a person, and why."""
        self.workers += 1
        host = Host(f"worker{self.workers}")
        worker = GroupWorker(
            lambda: _Log(self, host),
            ["events"],
            PIPELINE,
            DedupStores(
                lambda partition: self.claims or MemoryDedupStore(TTL_MS),
                ttl_ms=TTL_MS,
                shared=False,
                folder=lambda partition: self.folder,
            ),
            GroupDestination(
                sinks(host) if sinks else [SimulatedSink(self.database, host)],
                lambda reject: OutgoingRecord("dlq", b"", b""),
            ),
            limits=GroupLimits(max_records=10, max_seconds=0.3),
            gap_policy=policy,
            context=WorkerContext(
                background=SimulatedBackground(self.scheduler, host),
                clock=lambda: 1_768_000_000_000 + int(self.scheduler.now * 1000),
            ),
        )
        strand = self.scheduler.spawn(host, worker.run)

        def quiet(partition: Partition) -> bool:
            state = worker.states.get(partition)
            if state is not None and state.phase is Phase.FAILED:
                return True
            return self.broker.offsets.get(partition) == Commit(len(self.broker.log[partition]))

        failed: dict[Partition, str] = {}
        for _ in range(20_000):
            self.scheduler.step()
            if strand.error is not None:
                raise strand.error
            phases = {partition: state.phase for partition, state in worker.states.items()}
            if until(phases) if until else all(quiet(partition) for partition in self.broker.log):
                failed = {p: state.why for p, state in worker.states.items() if state.phase is Phase.FAILED}
                break
        else:
            raise AssertionError("the worker never came to rest")
        self.scheduler.kill(host)
        self.broker.expire()
        self.scheduler.now += 10
        return failed

    def stored(
        self, partition: Partition, table: str = RAW_TABLE.name, database: SimulatedDatabase | None = None
    ) -> list[int]:
        rows = (database or self.database).rows.get(table, ())
        return sorted(row["source_offset"] for row in rows if row["source_partition"] == partition.number)

    def prepare(self, partition: Partition, start: int, end: int) -> None:
        """A range that was written before, at the time that its rows have."""
        time = next(
            row["ingestion_timestamp"]
            for row in self.database.rows[RAW_TABLE.name]
            if (row["source_partition"], row["source_offset"]) == (partition.number, start)
        )
        range_ = Range("events", partition.number, start, end, end - start, "", time, {}, frozenset())
        self.broker.offsets[partition] = Commit(start, encode(range_, ""))

    def keep(self, partition: Partition, through: int, table: str = RAW_TABLE.name) -> None:
        """Lose the table's rows from that offset on."""
        rows = self.database.rows[table]
        rows[:] = [r for r in rows if r["source_partition"] != partition.number or r["source_offset"] < through]


class _Log(SimulatedGroup):
    def __init__(self, group: Group, host: Host) -> None:
        super().__init__(group.broker, host, host.name, host.name)
        self._group = group

    def span(self, partition: Partition) -> ReadableOffsets:
        return ReadableOffsets(self._group.low.get(partition, 0), super().span(partition).high)


@pytest.fixture
def new_group() -> Iterator[Group]:
    """Nothing is delivered yet."""
    group = Group()
    yield group
    group.scheduler.end()


@pytest.fixture
def group(new_group: Group) -> Group:
    """All of it is delivered."""
    group = new_group
    assert group.run() == {}
    assert group.stored(ZERO) == group.stored(ONE) == [*range(COUNT)]
    return group


def begun(phases: Mapping[Partition, Phase]) -> bool:
    """Whether a worker has decided about both partitions."""
    return len(phases) == 2 and set(phases.values()) <= {Phase.RUNNING, Phase.FAILED}


def delete(group: Group) -> None:
    del group.broker.offsets[ZERO]


def set_back(group: Group) -> None:
    group.broker.offsets[ZERO] = Commit(25)


def set_back_by_one(group: Group) -> None:
    group.broker.offsets[ZERO] = Commit(COUNT - 1)


def lose_what_was_prepared(group: Group) -> None:
    """30 to 39 were being written: an admin tool has committed the same offset, without the text beside it."""
    group.broker.offsets[ZERO] = Commit(30)
    group.keep(ZERO, 35)


def lose_what_was_prepared_early(group: Group) -> None:
    """As before, and only the first table had rows by then."""
    lose_what_was_prepared(group)
    group.keep(ZERO, 30)


def prepare_less_than_is_stored(group: Group) -> None:
    """A worker that did not ask has begun to store a second time what the offset was set back over."""
    group.prepare(ZERO, 10, 20)


def forget_a_withdrawal(group: Group) -> None:
    """A note keeps the rows of 35 out, of a range that nothing names any more."""
    group.broker.offsets[ZERO] = Commit(30)
    for table in tuple(group.database.rows):
        group.keep(ZERO, 30, table)
    group.database.withdrawn.add(((RAW_TABLE.name, "events", 0), 35))


LOSSES = (
    delete,
    set_back,
    set_back_by_one,
    lose_what_was_prepared,
    lose_what_was_prepared_early,
    prepare_less_than_is_stored,
    forget_a_withdrawal,
)


@pytest.mark.parametrize("lose", LOSSES)
def test_failure_03_a_partition_whose_sink_holds_more_is_refused(group: Group, lose: Callable[[Group], None]) -> None:
    lose(group)
    before = group.stored(ZERO), group.stored(ZERO, "stream_trace_events")
    group.broker.log[ONE].append(event("another"))
    (why,) = (failed := group.run()).values()
    assert list(failed) == [ZERO]
    assert "`lpa recover offset-loss`" in why
    assert why.index("offset-loss") < why.index("QUALITY_OFFSET_GAP_POLICY")
    assert "\n" not in why
    assert (group.stored(ZERO), group.stored(ZERO, "stream_trace_events")) == before, "nothing is stored twice"
    assert group.stored(ONE) == [*range(COUNT + 1)], "the other partition goes on"


def test_failure_03_the_message_says_what_does_not_agree(group: Group) -> None:
    del group.broker.offsets[ZERO]
    group.broker.offsets[ONE] = Commit(25)
    failed = group.run()
    assert "events[0]: no offset is committed, but" in failed[ZERO]
    assert "holds records 0 to 39, and reading would begin at 0" in failed[ZERO]
    assert "events[1]: offset 25 is committed, but" in failed[ONE]
    assert "holds records 25 to 39, and reading would begin at 25" in failed[ONE]
    prepare_less_than_is_stored(group)
    assert "offset 10 is committed and 10 to 19 are prepared" in group.run()[ZERO]


@pytest.mark.parametrize("lose", [delete, set_back, lose_what_was_prepared])
@pytest.mark.parametrize("policy", [GapPolicy.EARLIEST, GapPolicy.LATEST])
def test_failure_03_the_gap_policy_decides(group: Group, lose: Callable[[Group], None], policy: GapPolicy) -> None:
    lose(group)
    before = group.stored(ZERO)
    start = group.broker.offsets.get(ZERO, Commit(0)).offset
    group.broker.log[ZERO].append(event("another"))
    assert group.run(policy) == {}
    # Where one table has rows only, records before these are not read either.
    read = range(start if policy is GapPolicy.EARLIEST else COUNT, COUNT + 1)
    assert Counter(group.stored(ZERO)) == Counter(before) + Counter(read)


def test_failure_03_latest_ends_with_the_partition_where_the_topic_was_made_anew(group: Group) -> None:
    group.broker.log[ZERO] = [event(f"new-{number}") for number in range(5)]
    del group.broker.offsets[ZERO]
    assert group.run(GapPolicy.LATEST, until=lambda phases: phases.get(ZERO) is Phase.RUNNING) == {}
    assert Counter(group.stored(ZERO)) == Counter(range(COUNT))


def test_failure_03_offsets_lost_over_records_that_retention_took(group: Group) -> None:
    """What is stored lies before what the topic holds: records between may be lost, so a person decides."""
    group.low[ZERO] = COUNT
    group.broker.log[ZERO].append(event("another"))
    del group.broker.offsets[ZERO]
    assert list(group.run()) == [ZERO]
    assert group.run(GapPolicy.EARLIEST) == {}
    assert group.stored(ZERO) == [*range(COUNT + 1)]


def test_failure_03_a_topic_of_which_nothing_is_stored_begins_as_configured(new_group: Group) -> None:
    group = new_group
    group.broker.offsets[ONE] = Commit(10)
    assert group.run() == {}
    assert group.stored(ZERO) == [*range(COUNT)]
    assert group.stored(ONE) == [*range(10, COUNT)]


@pytest.mark.parametrize("can_tell", [True, False])
def test_failure_03_offsets_lost_where_nothing_but_gaps_was_finished(
    new_group: Group, tmp_path: Path, can_tell: bool
) -> None:
    """A machine that knows the partition as finished does not count for more than sinks that hold none of it."""
    new_group.folder, records = tmp_path, new_group.broker.log[ZERO]
    del new_group.broker.log[ONE]
    sent, records[:] = records[:], [None] * 3
    assert new_group.run() == {}
    (tmp_path / THROUGH_FILE).write_text('{"through": 3}')
    del new_group.broker.offsets[ZERO]
    records += sent

    def sinks(host: Host) -> list[Sink]:
        sink = SimulatedSink(new_group.database, host)
        return [sink if can_tell else _Blind(sink)]

    failed = new_group.run(sinks=sinks)
    assert bool(failed) is not can_tell
    assert new_group.stored(ZERO) == ([*range(3, 3 + COUNT)] if can_tell else [])


@pytest.mark.parametrize(("policy", "stored"), [(GapPolicy.EARLIEST, [*range(COUNT)]), (GapPolicy.LATEST, [])])
def test_failure_18_no_worker_goes_on_over_tables_that_were_emptied(
    group: Group, policy: GapPolicy, stored: list[int]
) -> None:
    """As after a lost database was made anew without its rows."""
    group.claims = MemoryDedupStore(TTL_MS)
    group.claims.claim(["0-0"], "events", 0, [0], 1_000_000_000)
    group.database = group.new_database()
    failed = group.run(until=begun)
    assert failed.keys() == {ZERO, ONE}
    assert "`lpa recover total-loss`" in failed[ZERO]
    for records in group.broker.log.values():
        records.append(event("the next"))
    assert group.run(policy) == {}
    assert group.stored(ZERO) == [*stored, COUNT]


def test_failure_18_a_group_that_another_program_led_goes_on_into_an_empty_database(group: Group) -> None:
    """Nobody has claims of it: it is a cut-over."""
    group.database = group.new_database()
    assert group.run(until=begun) == {}


def test_failure_18_records_that_the_topic_no_longer_has_cannot_be_read_again(group: Group) -> None:
    group.claims = MemoryDedupStore(TTL_MS)
    group.claims.claim(["0-0"], "events", 0, [0], 1_000_000_000)
    group.low = {ZERO: COUNT, ONE: COUNT}
    group.database = group.new_database()
    assert group.run(until=begun) == {}


def test_failure_03_a_prepared_range_explains_its_rows(group: Group) -> None:
    group.prepare(ZERO, 30, 40)
    group.keep(ZERO, 35)
    assert group.run() == {}
    assert group.stored(ZERO) == [*range(COUNT)]


@pytest.mark.parametrize("holds_more", ["first", "second"])
def test_failure_03_a_sink_that_was_added_holds_less_and_is_filled(group: Group, holds_more: str) -> None:
    added = group.new_database()
    group.broker.log[ZERO].append(event("another"))

    def both(host: Host) -> Sequence[Sink]:
        databases = (group.database, added) if holds_more == "first" else (added, group.database)
        return [SimulatedSink(database, host) for database in databases]

    assert group.run(sinks=both) == {}
    assert group.stored(ZERO, database=added) == [COUNT]
    set_back(group)
    assert list(group.run(sinks=both)) == [ZERO], "the sink that holds most decides"


def test_failure_03_a_sink_that_cannot_tell_is_not_asked(group: Group) -> None:
    set_back(group)

    def blind(host: Host) -> Sequence[Sink]:
        sink = _Blind(SimulatedSink(group.database, host))
        assert not isinstance(sink, SupportsStoredOffsets)
        return [sink]

    assert group.run(sinks=blind) == {}
    assert Counter(group.stored(ZERO)) == Counter(range(COUNT)) + Counter(range(25, COUNT))


def test_failure_03_a_sink_that_does_not_answer_is_asked_again(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    set_back(group)
    asked = []
    stored_from = SimulatedSink.stored_from

    def at_last(self: SimulatedSink, topic: str, first: Mapping[int, int]) -> object:
        asked.append(dict(first))
        if len(asked) < 3:
            raise SinkUnavailable("away")
        return stored_from(self, topic, first)

    monkeypatch.setattr(SimulatedSink, "stored_from", at_last)
    assert list(group.run()) == [ZERO]
    assert asked == [{0: 25, 1: COUNT}] * 3, "all partitions in one question"


def test_failure_03_rows_of_an_insert_under_way_count(group: Group) -> None:
    """The worker died in the middle of a range, and the server goes on with its insert."""
    records = [event(f"late-{number}") for number in range(5)]
    group.broker.log[ZERO] += records
    group.run(until=lambda phases: bool(group.database.running))
    assert group.stored(ZERO, "stream_trace_events") == [*range(COUNT)]
    group.broker.offsets[ZERO] = Commit(COUNT)
    assert list(group.run()) == [ZERO]
