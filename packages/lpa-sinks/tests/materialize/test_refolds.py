"""A signal is folded once, however many ranges are stored and not derived yet; all is folded again for late events."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any, final

import msgspec
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lpa_core.delivery.touched_sessions import Touch
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived, Refold
from lpa_core.sinks.sink import StoredRange
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.ingest_derivation import IngestDerivation
from lpa_sinks.materialize.materializer import Materializer
from lpa_sinks.materialize.row_filter import SessionKey
from lpa_sinks.testing.network_events import MINUTE, Events, T, network
from lpa_sinks.testing.stored_events import NewStore, StoredEvents

ARRIVED = 4_000_000_000_000
"""2096-10-02, epoch ms."""
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example takes a second, and the seed says it all."""
NETWORK = network()
SIGNALS = "(SELECT count() FROM $.ai_stream_status) + (SELECT count() FROM $.stream_trace_events)"
SIGNALS += " + (SELECT count() FROM $.ai_stream_events)"


def signals(store: StoredEvents) -> int:
    """How many signals are stored."""
    ((stored,),) = store.query(f"SELECT {SIGNALS}")
    return int(stored)


def require_rebuilt(store: StoredEvents) -> None:
    live = store.derived()
    assert live["fact_workflow_sessions"]
    store.rebuild()
    assert store.derived() == live


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 4])
def test_what_is_stored_before_its_turn_is_folded_once(new_store: NewStore, at_once: int) -> None:
    store, done = new_store(), Derived()
    ranges = [
        store.store(NETWORK[start : start + 4], start, ARRIVED + 1_000 * start) for start in range(0, len(NETWORK), 4)
    ]
    materializer = store.materializer()
    for start in range(0, len(ranges), at_once):
        done.add(materializer.update(ranges[start : start + at_once]))
    assert not done.refolds
    assert done.signals == signals(store)
    require_rebuilt(store)


@pytest.mark.slow
def test_a_late_event_is_what_all_is_folded_again_for(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    materializer = store.materializer()
    session = [events.capability(T - MINUTE), *events.session(T)]
    materializer.update([store.store(session, 0, ARRIVED)])
    done = materializer.update([store.store([events.status(T + 8_000)], 100, ARRIVED + 1)])
    assert done.refolds == {Refold.LATE: 1}
    require_rebuilt(store)


@pytest.mark.slow
def test_a_late_snapshot_attributes_a_session_whose_wallet_only_an_ai_event_names(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    materializer = store.materializer()
    session = [
        events.trace(T, "gateway_receive_stream_request"),
        events.ai_event(T + 1_000, "error", number=2),
        events.ai_event(T + 2_000, "params_update", number=1),
    ]
    materializer.update([store.store(session, 0, ARRIVED)])
    snapshots = [events.capability(T - MINUTE, 1), events.capability(T - MINUTE, 2)]
    materializer.update([store.store(snapshots, 10, ARRIVED + 1)])
    assert store.query("SELECT orchestrator_address FROM $.fact_workflow_sessions") == [("0xcan1",)]
    assert store.query("SELECT count() FROM $.fact_workflow_session_segments") == [(1,)]
    require_rebuilt(store)


STATES = "SELECT stream_id, orchestrator_address, attribution_status, attribution_reason, attribution_candidates"


@pytest.mark.slow
def test_three_behind_one_wallet_are_told_apart_by_url_also_by_snapshots_that_come_late(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    materializer = store.materializer()
    sessions = [
        *(events.status_at(T + number, f"https://u{number}.test", f"s{number}") for number in (1, 2, 3, 4)),
        events.status_at(T, "", "s0"),
    ]
    first = materializer.update([store.store([events.shared(T - MINUTE, 1), *sessions], 0, ARRIVED)])
    assert first.url_wallet_mismatches == 0
    unknown = ("unresolved", "missing_uri_snapshot_local_alias_present", "")
    assert store.query(f"{STATES} FROM $.fact_workflow_sessions ORDER BY stream_id") == [
        ("s0", "0xcan1", "resolved", "matched", ""),
        ("s1", "0xcan1", "resolved", "matched", ""),
        *((f"s{number}", "", *unknown) for number in (2, 3, 4)),
    ]
    late = [events.shared(T - MINUTE, 2), events.shared(T - MINUTE, 3, offers=False)]
    materializer.update([store.store(late, 10, ARRIVED + 1)])
    expected = [
        ("s0", "", "ambiguous", "ambiguous_candidates", "0xcan1@https://u1.test,0xcan2@https://u2.test"),
        ("s1", "0xcan1", "resolved", "matched", ""),
        ("s2", "0xcan2", "resolved", "matched", ""),
        ("s3", "0xcan3", "hardware_less", "matched_without_hardware", ""),
        ("s4", "", *unknown),
    ]
    for fact in ("fact_workflow_sessions", "fact_stream_status_samples"):
        assert store.query(f"{STATES} FROM $.{fact} ORDER BY stream_id") == expected
    require_rebuilt(store)


def test_wallets_that_nobody_at_the_url_has_are_counted_once(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    materializer = store.materializer()
    statuses = [events.status_at(T + number, "https://u1.test", wallet="0xELSE") for number in range(3)]
    done = materializer.update([store.store([events.shared(T - MINUTE, 1), *statuses], 0, ARRIVED)])
    assert done.url_wallet_mismatches == 3
    more = events.status_at(T + 3, "https://u1.test", wallet="0xELSE")
    assert materializer.update([store.store([more], 10, ARRIVED + 1)]).url_wallet_mismatches == 1


@pytest.mark.slow
def test_a_row_that_was_read_before_its_turn_and_withdrawn_then_leaves(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    session = [events.capability(T - MINUTE), *events.session(T)]
    first, second = store.store(session[:4], 0, ARRIVED), store.store(session[4:], 4, ARRIVED + 1)
    materializer = store.materializer()
    materializer.update([first])
    store.client.command(f"DELETE FROM {store.name}.ai_stream_status WHERE source_offset = 6")
    assert materializer.update([second]).refolds == {Refold.REPEATED: 1}
    require_rebuilt(store)


@final
class FailingDatabase:
    """A database that fails at a statement, once."""

    def __init__(self, database: FactDatabase) -> None:
        self._database = database
        self.left = -1
        """Statements until then; negative for never."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._database, name)

        def call(*arguments: Any, **keywords: Any) -> Any:
            self.left -= 1
            if self.left == -1:
                raise DatabaseError("away")
            return method(*arguments, **keywords)

        return call


@pytest.mark.slow
def test_after_a_failure_the_same_one_goes_on(new_store: NewStore) -> None:
    store = new_store()
    store.store(NETWORK)
    store.rebuild()
    expected = {table: len(rows) for table, rows in store.derived().items()}
    for statement in range(8, 100, 3):
        store = new_store()
        database = FailingDatabase(store.database)
        materializer = Materializer(database, FoldRules(), open_sessions=100)  # type: ignore[arg-type]
        materializer.update([store.store(NETWORK[:40], 0, ARRIVED)])
        rest = store.store(NETWORK[40:], 40, ARRIVED + 1)
        database.left = statement
        try:
            materializer.update([rest])
            break
        except DatabaseError:
            materializer.update([rest])
        assert {table: len(rows) for table, rows in store.derived().items()} == expected, statement
    else:
        pytest.fail("a pass takes more statements than were tried")


def in_ranges(chance: Random, records: list[bytes], most: int) -> list[list[bytes]]:
    edges = sorted(chance.sample(range(1, len(records)), chance.randint(3, most)))
    return [records[start:end] for start, end in zip([0, *edges], [*edges, len(records)], strict=True)]


def somewhat_late(chance: Random, records: list[bytes]) -> list[bytes]:
    """In an order in which some come minutes after others that are later."""
    times = [msgspec.json.decode(record)["timestamp"] + chance.choice([0, 0, 0, 5 * MINUTE]) for record in records]
    return [record for _, record in sorted(zip(times, records, strict=True))]


@final
class Sharing:
    """Materializers of a group: they share the partitions of the topic of touches, and are told in passes."""

    def __init__(self, chance: Random, store: StoredEvents) -> None:
        self._chance, self._store = chance, store
        self._databases = [FailingDatabase(store.database) for _ in range(2)]
        self._all = [Materializer(each, FoldRules(), open_sessions=100) for each in self._databases]  # type: ignore[arg-type]
        self._partitions: dict[int, list[Touch]] = defaultdict(list)
        self._owner = {partition: partition % 2 for partition in range(3)}

    def publish(self) -> None:
        """What was stored since is told."""
        for touch in self._store.touched:
            self._partitions[sum(touch.key) % 3].append(touch)
        self._store.touched.clear()

    def hand_over(self) -> None:
        for materializer in self._all:
            materializer.forget()
        self._owner = {partition: self._chance.randrange(2) for partition in range(3)}

    def turn(self, number: int, share: float) -> None:
        """One of them derives from some of what is told, or dies in it."""
        ranges: set[StoredRange] = set()
        keys: set[SessionKey] = set()
        tables: dict[str, set[StoredRange]] = defaultdict(set)
        read: dict[int, int] = {}
        for partition, told in self._partitions.items():
            if self._owner[partition] != number:
                continue
            read[partition] = round(len(told) * share)
            for touch in told[: read[partition]]:
                if touch.table:
                    tables[touch.table].add(touch.stored)
                else:
                    ranges.add(touch.stored)
                    keys.add(SessionKey.of(touch.org, touch.stream_id, touch.request_id))
        database = self._databases[number]
        database.left = self._chance.choice([-1, -1, -1, self._chance.randrange(60)])
        try:
            by_table = {table: sorted(some) for table, some in tables.items()}
            self._all[number].update(sorted(ranges), keys, by_table, refresh=True)
        except DatabaseError:
            return
        finally:
            database.left = -1
        for partition, count in read.items():
            del self._partitions[partition][:count]


@pytest.mark.slow
@settings(max_examples=8, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), late=st.booleans())
def test_workers_that_interleave_and_materializers_that_share_end_with_a_rebuild(
    new_store: NewStore, seed: int, late: bool
) -> None:
    chance, store = Random(seed), new_store()
    records = somewhat_late(chance, NETWORK) if late else list(NETWORK)
    sharing = Sharing(chance, store)
    for number, some in enumerate(in_ranges(chance, records, 14)):
        # The worker that closes its range first need not finish it first.
        batch_time = ARRIVED + 1_000 * number + chance.randint(-3_000, 3_000) + number
        topic, partition = chance.choice(["events", "others"]), chance.randrange(2)
        store.store(some, 1_000 * number, batch_time, partition, topic)
        if chance.random() < 0.6:
            sharing.publish()
        if chance.random() < 0.5:
            sharing.turn(chance.randrange(2), chance.random())
        if chance.random() < 0.1:
            sharing.hand_over()
    sharing.publish()
    while any(sharing._partitions.values()):
        sharing.turn(chance.randrange(2), chance.choice([0.5, 1]))
    require_rebuilt(store)


@pytest.mark.slow
@settings(max_examples=6, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), late=st.booleans())
def test_whatever_is_outstanding_and_whenever_a_process_dies_the_facts_are_those_of_a_rebuild(
    new_store: NewStore, seed: int, late: bool
) -> None:
    chance, store = Random(seed), new_store()
    records = somewhat_late(chance, NETWORK) if late else list(NETWORK)
    done, deaths = Derived(), 0
    following = IngestDerivation(store.database, store.database, exclusive=True)
    finished: list[StoredRange] = []
    for number, some in enumerate(in_ranges(chance, records, 12)):
        partition, batch_time = number % 3, ARRIVED + 1_000 * number
        following.expect(StoredRange("events", partition, batch_time))
        finished.append(store.store(some, 1_000 * number, batch_time, partition))
        if chance.random() < 0.3:
            count = chance.randint(1, len(finished))
            done.add(following.derive(finished[:count], FoldRules()))
            del finished[:count]
        if chance.random() < 0.15:
            deaths += 1
            following, finished = IngestDerivation(store.database, store.database, exclusive=True), []
    done.add(following.derive(finished, FoldRules()))
    following.close()
    if not late:
        assert not done.refolds.keys() & {Refold.LATE, Refold.REPEATED}
    require_rebuilt(store)
