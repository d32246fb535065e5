"""Whatever order events come in, and whoever derives when: the facts are those of a rebuild from the stored events."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lpa_core.generate.generator import generate
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.sink import StoredRange
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.materializer import DerivationOvertakenError, Materializer
from lpa_sinks.materialize.row_filter import RowFilter, SessionKey, TimeSpan
from lpa_sinks.materialize.signals import BySession, read
from lpa_sinks.testing.network_events import DAY, HOUR, MINUTE, Events, T, network
from lpa_sinks.testing.stored_events import NewStore

LONG_AGO = 1_767_955_200_000
"""2026-01-09."""
ARRIVED = 4_000_000_000_000
"""2096-10-02."""

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example takes a second, and the seed says it all."""


def rebuilt(new_store: NewStore, records: Sequence[bytes]) -> dict[str, list[tuple[Any, ...]]]:
    """What is derived when everything is stored first, in order, and derived once."""
    store = new_store()
    store.store(records)
    store.rebuild()
    return store.derived()


def by_uid(derived: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Comparable between stores of the same records."""
    return {table: sorted(rows, key=repr) for table, rows in derived.items()}


NETWORK = network()


@pytest.mark.slow
@settings(max_examples=8, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), cuts=st.integers(1, 6), workers=st.integers(1, 2), keeps=st.booleans())
def test_order_batches_and_workers_do_not_matter(
    new_store: NewStore, seed: int, cuts: int, workers: int, keeps: bool
) -> None:
    chance = Random(seed)
    records = chance.sample(NETWORK, len(NETWORK))
    store = new_store()
    materializers = [store.materializer(open_sessions=1_000 if keeps and workers == 1 else 0) for _ in range(workers)]
    edges = sorted(chance.sample(range(1, len(records)), cuts))
    for number, (start, end) in enumerate(zip([0, *edges], [*edges, len(records)], strict=True)):
        stored = store.store(records[start:end], start, ARRIVED + number, partition=number % 2)
        chance.choice(materializers).update([stored], refresh=workers > 1)
    live = store.derived()
    assert len(live["fact_workflow_sessions"]) == 10
    store.rebuild()
    assert store.derived() == live


@pytest.mark.slow
@settings(max_examples=3, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_the_order_of_arrival_does_not_matter(new_store: NewStore, seed: int) -> None:
    expected = rebuilt(new_store, NETWORK)
    store = new_store()
    materializer = store.materializer()
    records = Random(seed).sample(NETWORK, len(NETWORK))
    for number, start in enumerate(range(0, len(records), 15)):
        materializer.update([store.store(records[start : start + 15], start, ARRIVED + number)])
    assert by_uid(store.derived()) == by_uid(expected)


@pytest.mark.slow
def test_in_order_a_session_is_not_folded_anew(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    materializer = store.materializer()
    records = [events.capability(T - 60_000), *events.session(T, samples=50)]
    records.sort(key=lambda record: msgspec.json.decode(record)["timestamp"])
    passes = [
        materializer.update([store.store(records[start : start + 6], start, ARRIVED + start)])
        for start in range(0, len(records), 6)
    ]
    assert [each.anew for each in passes] == [1] + [0] * (len(passes) - 1)
    assert sum(each.signals for each in passes) == len(records) - 1
    live = store.derived()
    store.rebuild()
    assert store.derived() == live


@pytest.mark.slow
def test_doing_it_again_changes_nothing(new_store: NewStore) -> None:
    store = new_store()
    stored = [store.store(NETWORK[:40], 0, ARRIVED), store.store(NETWORK[40:], 40, ARRIVED + 1)]
    materializer = store.materializer()
    materializer.update(stored)
    once = store.derived()
    for ranges in (stored, stored[:1], stored[1:]):
        materializer.update(ranges)
        store.materializer().update(ranges)
    assert store.derived() == once


LATE = {
    "an hour": (lambda events: [events.status(T + HOUR, "s1")], 1),
    "a day": (lambda events: [events.status(T - DAY, "s1")], 1),
    "over the hour": (lambda events: [events.trace(T + 20 * MINUTE - 1, "gateway_ingest_stream_closed", "s3")], 1),
    "the first of all": (lambda events: [events.trace(T - 1, "gateway_receive_stream_request", "s5", 3)], 1),
    "a snapshot of an unknown wallet": (lambda events: [events.capability(T - MINUTE, 3)], 0),
    "a snapshot at the very time of a signal": (lambda events: [events.capability(T + 7_000, 1)], 0),
    "a snapshot with another GPU": (lambda events: [events.capability(T + 6_900, 1, gpu="GPU-9")], 0),
    "a snapshot that makes a wallet ambiguous": (lambda events: [_shared_wallet(events)], 0),
    "a session of three days": (lambda events: [events.status(T + day * DAY, "long") for day in range(3)], 1),
}


def _shared_wallet(events: Events) -> bytes:
    record = msgspec.json.decode(events.capability(T - MINUTE, 2))
    record["data"][0]["local_address"] = "0xHOT1"
    return msgspec.json.encode(record)


OF_EACH_KIND = ("over the hour",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in OF_EACH_KIND else pytest.mark.slow) for name in LATE]
)
def test_what_comes_late_ends_where_it_would_have_ended_in_time(new_store: NewStore, name: str) -> None:
    make, _ = LATE[name]
    late = make(Events())
    # Ids of its own, so that nothing collides.
    late = [record.replace(b'"id":"e', b'"id":"late') for record in late]
    store = new_store()
    materializer = store.materializer()
    materializer.update([store.store(NETWORK, 0, ARRIVED)])
    before = store.derived()
    materializer.update([store.store(late, len(NETWORK), ARRIVED + 1)])
    after = store.derived()
    assert after != before
    store.rebuild()
    assert store.derived() == after
    in_time = [*late, *NETWORK]
    assert (
        by_uid(rebuilt(new_store, in_time))["fact_workflow_session_segments"]
        == by_uid(after)["fact_workflow_session_segments"]
    )


@pytest.mark.slow
def test_snapshots_that_repeat_what_was_offered_fold_nothing_anew(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    materializer = store.materializer()
    materializer.update([store.store([events.capability(T - MINUTE), *events.session(T)], 0, ARRIVED)])
    assert materializer.update([store.store([events.capability(T + 3_333)], 100, ARRIVED + 1)]).sessions == 0
    assert materializer.update([store.store([events.capability(T + 4_000)], 200, ARRIVED + 2)]).sessions == 1


@pytest.mark.slow
def test_capabilities_that_another_worker_was_told_of_are_seen(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    one, other = store.materializer(), store.materializer()
    session = sorted(events.session(T), key=lambda record: msgspec.json.decode(record)["timestamp"])
    key = SessionKey("", "s", "r")
    for materializer in (one, other):
        materializer.update([], set(), {}, refresh=True)
    one.update([store.store(session[:5], 0, ARRIVED)], {key}, {})
    capability = store.store([events.capability(T - MINUTE)], 50, ARRIVED + 1)
    other.update([], set(), {"network_capabilities": [capability]}, refresh=True)
    one.update([store.store(session[5:], 60, ARRIVED + 2)], {key}, {}, refresh=True)
    live = store.derived()
    assert {row[9] for row in live["fact_workflow_sessions"]} == {"0xcan1"}
    store.rebuild()
    assert store.derived() == live


class DyingDatabase:
    """A database that fails at its nth statement, for good."""

    def __init__(self, database: FactDatabase, statements: int) -> None:
        self._database, self._left = database, statements

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._database, name)

        def call(*arguments: Any, **keywords: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise DatabaseError("dead")
            return method(*arguments, **keywords)

        return call


@pytest.mark.slow
def test_dead_after_any_statement_the_next_one_ends_with_the_same_rows(new_store: NewStore) -> None:
    expected = rebuilt(new_store, NETWORK)
    for statements in range(2, 80, 5):
        store = new_store()
        first = store.store(NETWORK[:40], 0, ARRIVED)
        store.materializer().update([first])
        second = store.store(NETWORK[40:], 40, ARRIVED + 1)
        dying = Materializer(DyingDatabase(store.database, statements), FoldRules(), open_sessions=100)  # type: ignore[arg-type]
        try:
            dying.update([second])
            finished = True
        except DatabaseError:
            finished = False
        store.materializer().update([second])
        assert by_uid(store.derived()) == by_uid(expected), statements
        if finished:
            break
    else:
        pytest.fail("a pass takes more statements than were tried")


def test_overtaken_nothing_is_written(new_store: NewStore) -> None:
    def overtaken() -> None:
        raise DerivationOvertakenError("others have the partitions")

    store = new_store()
    stored = store.store(NETWORK, 0, ARRIVED)
    with pytest.raises(DerivationOvertakenError):
        store.materializer(before_writing=overtaken).update([stored])
    assert not store.query("SELECT 1 FROM $.fact_workflow_sessions LIMIT 1")


@pytest.mark.slow
def test_an_older_version_does_not_win(new_store: NewStore) -> None:
    """A materializer that began to read before, and writes after, one that saw more."""
    store, events = new_store(), Events()
    session = events.session(T)
    first = store.store([events.capability(T - MINUTE), *session[:4]], 0, ARRIVED)

    def overtake() -> None:
        if not overtaking:
            overtaking.append(True)
            store.materializer().update([store.store(session[4:], 50, ARRIVED + 1)])

    overtaking: list[bool] = []
    store.materializer(before_writing=overtake).update([first])
    live = store.derived()
    store.rebuild()
    assert store.derived() == live


@pytest.mark.slow
def test_a_session_without_ids_is_its_event(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    records = [events.status(T + number, " ") for number in range(2)]
    records = [record.replace(b'"request_id":"r"', b'"request_id":" "') for record in records]
    materializer = store.materializer()
    for number, record in enumerate(records):
        materializer.update([store.store([record], number, ARRIVED + number)])
    names = [row[1] for row in store.derived()["fact_workflow_sessions"]]
    assert names == ["_missing_stream|_missing_request|e0", "_missing_stream|_missing_request|e1"]


@pytest.mark.slow
def test_rows_that_are_withdrawn_leave_with_their_facts(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    records = [events.capability(T - MINUTE), *events.session(T)]
    store.materializer().update([store.store(records, 0, ARRIVED)])
    store.client.command(f"DELETE FROM {store.name}.ai_stream_status WHERE source_offset >= 6")
    store.client.command(f"DELETE FROM {store.name}.stream_trace_events WHERE source_offset = 1")
    store.rebuild()
    after = store.derived()
    other = new_store()
    kept = [record for number, record in enumerate(records) if number not in (1, 6, 7, 8)]
    other.store(kept)
    other.rebuild()
    assert by_uid(after)["fact_stream_status_samples"] == by_uid(other.derived())["fact_stream_status_samples"]
    assert len(after["fact_stream_trace_edges"]) == 3
    assert sum(row[7] for row in after["agg_stream_performance_1m"]) == 2


@pytest.mark.slow
def test_facts_outlive_the_events_they_are_made_of(new_store: NewStore) -> None:
    store, events = new_store(), Events()
    materializer = store.materializer(open_sessions=0)
    materializer.update([store.store([events.capability(LONG_AGO - MINUTE), *events.session(LONG_AGO)], 0, ARRIVED)])
    before = store.derived()
    store.client.command(f"DELETE FROM {store.name}.ai_stream_status WHERE 1")  # as retention does, after 90 days
    late = store.store([events.status(LONG_AGO + HOUR)], 100, ARRIVED + 1)
    materializer.update([late])
    store.rebuild()
    assert store.derived() == before


def test_a_rebuild_of_named_sessions_leaves_others_alone(new_store: NewStore) -> None:
    store = new_store()
    store.store(NETWORK)
    assert store.rebuild(sessions=[SessionKey("", "s1", "r"), SessionKey("", "s2", "r")]) == 2
    assert {row[1] for row in store.derived()["fact_workflow_sessions"]} == {"s1|r", "s2|r"}


@pytest.mark.slow
def test_a_rebuild_takes_sessions_of_its_window_whole(new_store: NewStore) -> None:
    store = new_store()
    store.store(NETWORK)
    assert store.rebuild(TimeSpan(T + 20 * MINUTE, T + HOUR)) == 1
    (session,) = store.query(
        "SELECT workflow_session_id, session_start_ts < '2096-09-25 11:00:00' FROM $.fact_workflow_sessions"
    )
    assert session == ("s3|r", 1)


@pytest.mark.slow
def test_a_rebuild_in_portions_rolls_up_every_hour_it_touches(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [*NETWORK]
    for hour in range(-2, 6):
        records += generate(200, duplicates=0, bad=0, sessions=8, seed=hour, start_ms=T + hour * HOUR)
    expected = by_uid(rebuilt(new_store, records))
    hours = {row[0] for row in expected["agg_session_performance_1h"]}
    assert len(hours) > 6
    monkeypatch.setattr("lpa_sinks.materialize.materializer._ROWS_AT_ONCE", 30)
    monkeypatch.setattr("lpa_sinks.materialize.rollups._HOURS_AT_ONCE", 2)
    store = new_store()
    store.store(records)
    store.rebuild()
    assert by_uid(store.derived()) == expected
    store.rebuild(TimeSpan(T + 20 * MINUTE, T + 3 * HOUR))  # sessions that began earlier among them
    assert by_uid(store.derived()) == expected


@pytest.mark.slow
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("first", [0, 5])
def test_a_backlog_is_derived_in_portions(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch, named: bool, first: int
) -> None:
    """``first``: ranges that were derived before, so that some sessions are open."""
    records = [*generate(3_000, duplicates=0, bad=0.01, sessions=40, seed=3)]
    sizes: list[int] = []

    def counted(database: FactDatabase, rows: RowFilter) -> BySession:
        found = read(database, rows)
        sizes.append(sum(len(signals.found) for signals in found.values()))
        return found

    monkeypatch.setattr("lpa_sinks.materialize.materializer.read", counted)
    monkeypatch.setattr("lpa_sinks.materialize.materializer._ROWS_AT_ONCE", 300)
    store = new_store()
    materializer = store.materializer()
    ranges: list[StoredRange] = []
    for start in range(0, 3_000, 100):
        ranges.append(store.store(records[start : start + 100], start, ARRIVED + start))
        if len(ranges) <= first:
            materializer.update(ranges[-1:])
    tables = ("ai_stream_status", "stream_trace_events", "ai_stream_events")
    names = [each for table in tables for each in store.query(f"SELECT stream_id, request_id FROM $.{table}")]
    sizes.clear()
    done = materializer.update(ranges[first:], {SessionKey.of("", *each) for each in names} if named else None)
    assert max(sizes) <= 300 < done.signals
    live = store.derived()
    store.rebuild()
    assert store.derived() == live
    (events,) = store.query("SELECT sum(event_count) FROM $.fact_workflow_sessions")
    assert events[0] > 1_000


@pytest.mark.slow
def test_generated_traffic_in_order_equals_its_rebuild(new_store: NewStore) -> None:
    records = [*generate(3_000, duplicates=0, bad=0.01, sessions=40, seed=3)]
    store = new_store()
    materializer = store.materializer()
    for start in range(0, len(records), 500):
        materializer.update([store.store(records[start : start + 500], start, ARRIVED + start)])
    live = store.derived()
    store.rebuild()
    assert store.derived() == live
    assert len(live["fact_workflow_sessions"]) >= 40
