"""Facts of jobs as they are stored: live, late, replayed and rebuilt they are the same."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lpa_core.delivery.touched_sessions import Touch
from lpa_sinks.testing.job_records import JobRecords, job_network
from lpa_sinks.testing.network_events import DAY, MINUTE, T
from lpa_sinks.testing.stored_events import NewStore, StoredEvents

ARRIVED = 4_000_000_000_000
"""2096-10-02, epoch ms."""
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example takes a second, and the seed says it all."""
NETWORK = job_network()
URLS = "SELECT job_id, orchestrator_address FROM $.fact_jobs ORDER BY job_id"


def jobs(store: StoredEvents, columns: str, where: str = "1") -> list[tuple[Any, ...]]:
    return store.query(f"SELECT {columns} FROM $.fact_jobs WHERE {where} ORDER BY org, job_id")


def facts(store: StoredEvents) -> list[tuple[Any, ...]]:
    return jobs(store, "* EXCEPT (ingestion_timestamp, version)")


def told(store: StoredEvents, records: Sequence[bytes], number: int = 0, **place: Any) -> None:
    """Store a range and derive from it, by whoever remembers nothing."""
    store.materializer().update([store.store(records, 1_000 * number, ARRIVED + 1_000 * number, **place)])


@pytest.mark.slow
def test_what_a_network_of_jobs_comes_to(new_store: NewStore) -> None:
    store = new_store()
    told(store, NETWORK)
    found = jobs(store, "job_id, outcome, attempts, duration_ms, orchestrator_address, model_id, attribution_status")
    uid = {row[0].rpartition("|")[2] for row in found if "||" in row[0]}
    assert found == [
        ("ai_batch|none", "no_orchestrator", 0, None, "", "m", "unresolved"),
        ("ai_batch|open", "open", 0, None, "", "m", "unresolved"),
        ("ai_batch|r", "success", 2, 2_500, "0xcan2", "m", "resolved"),
        (found[3][0], "success", 0, None, "0xcan2", "m", "resolved"),
        ("byoc|advertised", "success", 1, None, "0xcan3", "m1", "resolved"),
        ("byoc|r", "success", 2, 70, "0xcan2", "big", "resolved"),
        ("byoc|slow", "failed", 1, None, "0xcan3", "m1", "resolved"),
        ("byoc|whose", "success", 1, None, "", "", "ambiguous"),
        (found[8][0], "success", 1, None, "0xcan1", "m1", "resolved"),
    ]
    assert len(uid) == 2
    assert jobs(store, "price_per_unit, charged_wei, worker_url, http_status", "job_id = 'byoc|r'") == [
        (22.5, 67, "http://w:8", 200)
    ]
    assert jobs(store, "price_per_unit, charged_wei, http_status", "job_id = 'byoc|advertised'") == [(2500, None, None)]
    assert jobs(store, "attribution_candidates", "job_id = 'byoc|whose'") == [
        ("0xcan1@https://o1.test:1,0xcan2@https://o2.test:1,0xcan3@https://o3.test:1",)
    ]


@pytest.mark.slow
@settings(max_examples=3, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), cuts=st.integers(1, 6))
def test_neither_order_nor_batches_nor_replays_change_a_fact(new_store: NewStore, seed: int, cuts: int) -> None:
    chance, store = Random(seed), new_store()
    expected = new_store()
    told(expected, NETWORK)
    records = chance.sample(NETWORK, len(NETWORK))
    edges = sorted(chance.sample(range(1, len(records)), cuts))
    materializers = [store.materializer() for _ in range(2)]
    for number, (start, end) in enumerate(zip([0, *edges], [*edges, len(records)], strict=True)):
        stored = store.store(records[start:end], start, ARRIVED + number, partition=number % 2)
        chance.choice(materializers).update([stored], refresh=True)
    live = facts(store)
    assert live == facts(expected)
    chance.choice(materializers).update([store.store(records, 5_000, ARRIVED + 100, partition=3)])
    assert facts(store) == live
    store.rebuild()
    assert facts(store) == live


LATE = {
    "a charge": lambda told: [told.charge(T + 1_140, 2, 2)],
    "an answer": lambda told: [told.orchestrator(T + 5_100, 1, "whose", http_status=201, success=True)],
    "a snapshot of nobody known": lambda told: [told.capability(T - MINUTE, 4)],
    "a snapshot at the very time": lambda told: [told.capability(T + 6 * MINUTE, 3, price=7)],
    "a snapshot nearer": lambda told: [told.capability(T + 5 * MINUTE, 3, price=7)],
    "a worker": lambda told: [told.worker(T + 100, "registered", 2, "u3", worker_options=[{"model": "late"}])],
    "a worker of long ago": lambda told: [
        told.worker(T - 29 * DAY, "registered", 3, "u4", url="", worker_options=[{"model": "old"}])
    ],
    "the completion of a job that is open": lambda told: [told.batch(T + DAY, "completed", "open", success=True)],
}


@pytest.mark.slow
@pytest.mark.parametrize("late", LATE)
def test_failure_32_what_comes_late_counts_as_if_it_had_come_in_time(new_store: NewStore, late: str) -> None:
    store = new_store()
    told(store, NETWORK)
    before = facts(store)
    told(store, LATE[late](JobRecords("late")), 1)
    live = facts(store)
    store.rebuild()
    assert facts(store) == live
    if late not in ("a snapshot of nobody known",):
        assert live != before


@pytest.mark.slow
def test_failure_32_two_orgs_may_use_one_request_id(new_store: NewStore) -> None:
    store = new_store()
    told(store, NETWORK, topic="of-a", org="a")
    only = facts(store)
    other = [record.replace(b"0xCAN", b"0xTHEIR").replace(b'tries":2', b'tries":7') for record in NETWORK]
    told(store, other, 1, topic="of-b", org="b")
    of_a, of_b = (jobs(store, "* EXCEPT (ingestion_timestamp, version)", f"org = '{org}'") for org in "ab")
    assert of_a == only
    assert [row[1] for row in of_b] == [row[1] for row in of_a]
    assert {address for (address,) in jobs(store, "orchestrator_address", "org = 'b'")} == {
        "",
        "0xtheir1",
        "0xtheir2",
        "0xtheir3",
    }


def test_failure_32_a_job_whose_rows_are_gone_is_gone_with_a_rebuild(new_store: NewStore) -> None:
    store, records = new_store(), JobRecords()
    told(store, [records.batch(T, "received"), records.batch(T + 5, "received", "stays")])
    store.client.command(
        f"ALTER TABLE {store.name}.ai_batch_requests DELETE WHERE request_id = 'r'", settings={"mutations_sync": 2}
    )
    told(store, [records.llm(T + 7, "llm_request_completed")], 1)
    assert jobs(store, "job_id") == [("ai_batch|stays",)]


def test_failure_32_facts_stay_if_some_of_their_events_have_expired(new_store: NewStore) -> None:
    store, records, long_ago = new_store(), JobRecords(), 1_767_955_200_000
    told(store, [records.batch(long_ago, "received"), records.batch(long_ago + 5, "completed", success=True)])
    before = facts(store)
    store.client.command(
        f"ALTER TABLE {store.name}.ai_batch_requests DELETE WHERE subtype LIKE '%_received'",
        settings={"mutations_sync": 2},
    )
    store.rebuild()
    assert facts(store) == before


@pytest.mark.slow
def test_a_range_with_jobs_is_told_of_once_and_derived_by_whoever_hears_it(new_store: NewStore) -> None:
    store = new_store()
    expected = new_store()
    told(expected, NETWORK)
    stored = store.store(NETWORK, 0, ARRIVED)
    assert [touch for touch in store.touched if not touch.table] == [Touch("events", 0, ARRIVED)]
    tables = {touch.table: [stored] for touch in store.touched if touch.table}
    store.materializer().update([], [], tables, [stored], refresh=True)
    assert facts(store) == facts(expected)
