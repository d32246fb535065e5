"""Two orgs may use the same ids, and name the same wallets: nothing that is derived for one depends on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lpa_core.sinks.derived import Refold
from lpa_core.sinks.sink import StoredRange
from lpa_sinks.materialize.row_filter import SessionKey
from lpa_sinks.testing.network_events import MINUTE, Events, T, network
from lpa_sinks.testing.stored_events import NewStore, StoredEvents

ARRIVED = 4_000_000_000_000
"""2096-10-02, epoch ms."""
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""An example takes seconds, and the seed says it all."""
SESSIONS = (
    "SELECT org, workflow_session_id, orchestrator_address, event_count FROM $.fact_workflow_sessions ORDER BY ALL"
)


NETWORKS = {
    "a": network(),
    "b": [record.replace(b"0xCAN", b"0xTHEIR").replace(b"GPU-", b"THEIRS-") for record in network()[::-2]],
}
"""Org -> its events: of the same ids and proxy wallets, but with others behind the wallets, and other events."""


def store_some(store: StoredEvents, org: str, records: Sequence[bytes], number: int) -> StoredRange:
    return store.store(records, 1_000 * number, ARRIVED + 1_000 * number, topic=f"of-{org}", org=org)


@pytest.fixture(scope="module")
def alone(stores: list[StoredEvents], engine: Client) -> Callable[[str], Mapping[str, Any]]:
    """Answers what the events of an org give without those of others."""
    store = StoredEvents(engine, "alone")
    stores.append(store)
    found = {}
    for org, records in NETWORKS.items():
        store.clear()
        store_some(store, org, records, 0)
        store.rebuild()
        found[org] = store.derived()
    return lambda org: found[org]


@pytest.mark.slow
@settings(max_examples=2, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), keeps=st.booleans())
def test_the_facts_of_an_org_are_those_that_its_events_give_alone(
    new_store: NewStore, alone: Callable[[str], Mapping[str, Any]], seed: int, keeps: bool
) -> None:
    chance, store = Random(seed), new_store()
    arrivals = {org: chance.sample(records, len(records)) for org, records in NETWORKS.items()}
    ranges = [(org, records[start::3]) for org, records in arrivals.items() for start in range(3)]
    materializer = store.materializer(open_sessions=1_000 if keeps else 0)
    for number, (org, some) in enumerate(chance.sample(ranges, len(ranges))):
        materializer.update([store_some(store, org, some, number)])
    live = store.derived()
    for org in NETWORKS:
        assert alone(org)["agg_session_performance_1h"]
        assert store.derived(org) == alone(org), org
    store.rebuild()
    assert store.derived() == live


@pytest.mark.slow
def test_a_signal_sees_snapshots_of_its_own_org_only(new_store: NewStore) -> None:
    store = new_store()
    materializer = store.materializer()
    told = {org: Events() for org in ("", "a", "b")}
    snapshot = told["a"].capability(T - MINUTE)
    sessions = {org: events.session(T) for org, events in told.items()}
    materializer.update([store_some(store, "a", [snapshot, *sessions["a"]], 0)])
    materializer.update([store_some(store, org, sessions[org], number) for number, org in ((1, "b"), (2, ""))])
    assert store.query(SESSIONS) == [("", "s|r", "", 10), ("a", "s|r", "0xcan1", 10), ("b", "s|r", "", 10)]

    late = told["b"].capability(T - MINUTE).replace(b"0xCAN1", b"0xTHEIR1")
    done = materializer.update([store_some(store, "b", [late], 3)])
    assert done.refolds == {Refold.CAPABILITIES: 1}
    assert store.query(SESSIONS) == [("", "s|r", "", 10), ("a", "s|r", "0xcan1", 10), ("b", "s|r", "0xtheir1", 10)]


@pytest.mark.slow
def test_what_is_late_or_rebuilt_for_one_org_leaves_the_others_alone(new_store: NewStore) -> None:
    store = new_store()
    materializer = store.materializer()
    for number, org in enumerate(("a", "b")):
        events = Events()
        materializer.update([store_some(store, org, [events.capability(T - MINUTE), *events.session(T)], number)])
    before = store.derived("a")
    late = [events.status(T + 5_000), events.status(T + 6_000, stream=" ").replace(b'"r"', b'" "')]
    done = materializer.update([store_some(store, "b", late, 2)])
    assert done.refolds == {Refold.LATE: 1}
    assert store.derived("a") == before
    assert store.rebuild(sessions=[SessionKey("b", "s", "r")]) == 1
    assert store.derived("a") == before
    assert [row[:2] for row in store.query(SESSIONS)] == [
        ("a", "s|r"),
        ("b", "_missing_stream|_missing_request|e12"),
        ("b", "s|r"),
    ]
