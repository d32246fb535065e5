"""The routes over a day of events: rows as the document says, pages without a gap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from lpa_ops.read_api.app import read_api
from lpa_ops.read_api.database import StoredRows
from lpa_ops.read_api.openapi import document
from lpa_ops.read_api.routes import ROUTES
from lpa_ops.testing.checked_database import HOUR_MS, CheckedDatabase
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.readers import Readers

PAGED = ("streaming/sla", "streaming/demand", "streaming/gpu-metrics")


@pytest.fixture(scope="module")
def latest(day: CheckedDatabase) -> int:
    """When the day's last sample was taken, epoch ms."""
    (moment,) = day.query("SELECT toUnixTimestamp64Milli(max(sample_ts)) FROM day.fact_stream_status_samples")[0]
    return int(moment)


@pytest.fixture(scope="module")
def stored(day: CheckedDatabase) -> Iterator[StoredRows]:
    readers = Readers(endpoint_of(day.sink, day.settings), "", 30)
    yield StoredRows(readers, day.settings.clickhouse.database, 30)
    readers.close()


@pytest.fixture(scope="module")
def api(stored: StoredRows, latest: int) -> TestClient:
    """As of the day's last sample."""
    return TestClient(read_api(stored, "", lambda: latest))


def rows(api: TestClient, url: str) -> Any:
    answer = api.get(url)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_answers_are_as_the_document_says(api: TestClient, route: Any) -> None:
    described = document(ROUTES, "1", token=False)
    schema = described["paths"][f"/v1/{route.path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    found = rows(api, f"/v1/{route.path}")
    jsonschema.Draft202012Validator({**schema, "components": described["components"]}).validate(found)
    content = found["data"] if route.paged else found
    assert content, "a day of events has rows for every route"
    for row in content if route.columns else ():
        assert tuple(row) == route.columns


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGED)
def test_pages_are_the_whole_in_order(api: TestClient, path: str) -> None:
    whole = rows(api, f"/v1/{path}?limit=1000")["data"]
    limit = len(whole) // 4 + 1
    hours = [row["window_start"] for row in whole]
    assert hours == sorted(hours, reverse=True)
    found: list[Any] = []
    url: str | None = f"/v1/{path}?limit={limit}"
    while url is not None:
        answer = api.get(url)
        page = answer.json()
        assert page["pagination"]["page_size"] == limit
        assert page["pagination"]["has_more"] == (page["pagination"]["next_cursor"] is not None)
        assert len(page["data"]) == limit or not page["pagination"]["has_more"]
        found += page["data"]
        url = answer.links.get("next", {}).get("url")
    assert found == whole


def test_a_window_holds_only_its_hours(api: TestClient) -> None:
    whole = rows(api, "/v1/streaming/sla?limit=1000")["data"]
    hour = whole[-1]["window_start"]
    assert {row["window_start"] for row in rows(api, f"/v1/streaming/sla?start={hour}&limit=1000")["data"]} == {
        row["window_start"] for row in whole if row["window_start"] >= hour
    }
    before = rows(api, f"/v1/streaming/sla?start=2d&end={hour}&limit=1000")["data"]
    assert all(row["window_start"] < hour for row in before)
    assert api.get("/v1/streaming/sla?start=2026-01-01&end=2026-03-01").status_code == 400


def test_discovery_takes_any_of_the_capabilities(api: TestClient) -> None:
    everybody = rows(api, "/v1/discover/orchestrators")
    names = {name for row in everybody for name in row["capabilities"]}
    some = sorted(names)[:2]
    found = rows(api, f"/v1/discover/orchestrators?caps={some[0]}&caps={some[1]}&caps=no/body")
    assert {name for row in found for name in row["capabilities"]} == set(some)
    assert rows(api, "/v1/discover/orchestrators?caps=no/body") == []
    assert all(row["score"] == 0 for row in everybody if not row["recent_work"])
    assert any(row["recent_work"] for row in everybody)


def test_an_org_has_only_its_own(api: TestClient) -> None:
    for path in ("dashboard/pricing", "dashboard/job-feed", "streaming/models", "streaming/orchestrators"):
        assert rows(api, f"/v1/{path}?org=") == rows(api, f"/v1/{path}")
        assert rows(api, f"/v1/{path}?org=another") == []


def test_open_streams_are_those_that_nobody_closed(api: TestClient, day: CheckedDatabase) -> None:
    found = [row["id"] for row in rows(api, "/v1/dashboard/job-feed?limit=200")]
    closed = {name for (name,) in day.query(
        "SELECT workflow_session_id FROM day.fact_lifecycle_edge_coverage WHERE is_terminal_signal = 1"
    )}  # fmt: skip
    assert found
    assert not closed & set(found)
    assert rows(api, "/v1/dashboard/job-feed?limit=1")[0]["id"] == found[0]


def test_key_figures_add_up(stored: StoredRows, latest: int) -> None:
    api = TestClient(read_api(stored, "", lambda: latest + HOUR_MS))
    figures = rows(api, "/v1/dashboard/kpi?window=24h")["streaming"]
    assert len(figures["hourlySessions"]) == 24
    assert sum(each["value"] for each in figures["hourlySessions"]) == figures["dailySessionCount"]["value"] > 0
    assert 0 <= figures["successRate"]["value"] <= 100
    assert rows(api, "/v1/dashboard/kpi?pipeline=none")["streaming"]["dailySessionCount"]["value"] == 0
