"""What is stored of two orgs agrees, though they use the same ids: no assertion takes rows of one for the other's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.generate.generator import START_MS, generate
from lpa_sinks.parity import Severity, assertions
from lpa_sinks.testing.damage import DerivedDatabase
from lpa_sinks.testing.stored_events import StoredEvents

pytestmark = pytest.mark.slow

END = datetime(2026, 2, 1, tzinfo=UTC)
"""Freshness is judged in windows that end now."""
RECORDS = [*generate(500, duplicates=0, bad=0, sessions=8, seed=5, start_ms=START_MS)]
VIEWS = (
    "dim_orchestrator_capability_current",
    "v_session_outcomes",
    "v_session_hours",
    "v_request_fees",
    "v_gpu_labels",
    "v_gpu_hours",
    "v_api_gpu_metrics",
    "v_api_network_demand",
    "v_api_network_demand_by_gpu",
    "v_api_sla_compliance",
    "v_api_jitter_5m",
    "v_api_session_identity",
)


def of_others(record: bytes) -> bytes:
    """The same event, with other orchestrators behind the proxy wallets."""
    event = msgspec.json.decode(record)
    if event["type"] != "network_capabilities":
        return record
    data = [{**each, "address": each["address"].replace("0x", "0xb", 1)} for each in event["data"]]
    return msgspec.json.encode({**event, "data": data})


OF_B = [of_others(record) for record in RECORDS[::-2]]


@pytest.fixture(scope="module")
def alone(engine: Client) -> Iterator[DerivedDatabase]:
    """Of the org b only."""
    events = StoredEvents(engine, "parity_alone")
    events.store(OF_B, org="b")
    events.rebuild()
    yield DerivedDatabase(events)
    engine.command("DROP DATABASE parity_alone SYNC")


@pytest.fixture(scope="module")
def both(engine: Client) -> Iterator[DerivedDatabase]:
    events = StoredEvents(engine, "parity_of_two")
    events.store(RECORDS, topic="of-a", org="a")
    events.store(OF_B, org="b")
    events.rebuild()
    yield DerivedDatabase(events)
    engine.command("DROP DATABASE parity_of_two SYNC")


def test_no_assertion_fails_for_two_orgs_with_the_same_ids(both: DerivedDatabase) -> None:
    found = {each.name: both.ask(each.name, END) for each in assertions()}
    failed = {name: result for name, result in found.items() if result.severity is Severity.FAIL}
    assert failed == {}


def test_views_show_of_an_org_what_it_has_alone(alone: DerivedDatabase, both: DerivedDatabase) -> None:
    for view in VIEWS:
        shown = f"SELECT * FROM $.{view} WHERE org = 'b' ORDER BY ALL"
        if view == "v_api_session_identity":
            shown = shown.replace("*", "* EXCEPT (latest_version)")
        expected = alone.events.query(shown)
        assert expected, view
        assert both.events.query(shown) == expected, view
        assert both.events.query(f"SELECT DISTINCT org FROM $.{view} ORDER BY org") == [("a",), ("b",)], view
