"""Typed rows become facts and dimensions, one to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.delivery.touched import PROJECTED_TABLES
from lpa_sinks.materialize.statements import PROJECTIONS, statement

Insert = Callable[..., None]
Query = Callable[[str], list[tuple[Any, ...]]]
Project = Callable[[str], None]

# A time whose rows do not expire.
ARRIVED = 3_787_560_000_000
ARRIVAL = "'2090-01-08 12:00:00'"

READ_AS = {
    "stream_ingest_metrics": "fact_stream_ingest_samples",
    "network_capabilities": "dim_orchestrator_capability_snapshots",
    "network_capabilities_advertised": "dim_orchestrator_capability_advertised_snapshots",
    "network_capabilities_model_constraints": "dim_orchestrator_capability_model_constraints",
    "network_capabilities_prices": "dim_orchestrator_capability_prices",
}


@pytest.fixture
def project(engine: Client, made: str) -> Project:
    """Projects what arrived in the millisecond of ``ARRIVED``."""
    window = {"from": ARRIVED, "to": ARRIVED + 1}
    return lambda table: engine.command(statement(PROJECTIONS[table], made), parameters=window)


def test_there_is_a_projection_of_each_table_that_is_touched_as_a_whole() -> None:
    assert set(PROJECTIONS) == PROJECTED_TABLES == set(READ_AS)


@pytest.mark.parametrize(
    ("stream", "request_", "uid", "session"),
    [
        ("s", "r", "e", "s|r"),
        (" s ", "r\\t", "e", "s|r"),
        ("s", "  ", "e", "s|_missing_request"),
        ("\\n", "r", "e", "_missing_stream|r"),
        (" ", "", " e ", "_missing_stream|_missing_request|e"),
        ("", "", " ", "_missing_stream|_missing_request|_missing_event"),
        ("a b", "r|x", "e", "a b|r|x"),
        ("\\xC2\\xA0s\\xE3\\x80\\x80", "\\xC2\\x85r\\x1F", "e", "s|r"),
    ],
)
def test_session_id(
    insert: Insert, project: Project, query: Query, stream: str, request_: str, uid: str, session: str
) -> None:
    insert(
        "stream_ingest_metrics",
        stream_id=f"'{stream}'",
        request_id=f"'{request_}'",
        raw_event_uid=f"'{uid}'",
        ingestion_timestamp=ARRIVAL,
    )
    project("stream_ingest_metrics")
    assert query("SELECT workflow_session_id FROM $.fact_stream_ingest_samples") == [(session,)]


def test_ingest_sample(insert: Insert, project: Project, query: Query) -> None:
    columns = {"video_jitter": 1, "audio_jitter": 2, "video_latency": 3, "audio_latency": 4}
    columns |= {"bytes_received": 5, "bytes_sent": 6}
    insert(
        "stream_ingest_metrics",
        event_timestamp="'2090-01-08 11:59:58.123'",
        raw_event_uid="'uid'",
        org="'org'",
        stream_id="'s'",
        request_id="'r'",
        connection_quality="'good'",
        ingestion_timestamp=ARRIVAL,
        **columns,
    )
    project("stream_ingest_metrics")
    assert query(
        "SELECT toString(sample_ts), toString(sample_date), source_event_uid, org, stream_id, request_id, "
        f"connection_quality, {', '.join(columns)}, toString(ingestion_timestamp) FROM $.fact_stream_ingest_samples"
    ) == [
        (
            *("2090-01-08 11:59:58.123", "2090-01-08", "uid", "org", "s", "r", "good"),
            *columns.values(),
            "2090-01-08 12:00:00.000",
        )
    ]


CAPABILITY = {
    "event_timestamp": "'2090-01-08 11:00:00'",
    "raw_event_uid": "'uid'",
    "orchestrator_address": "'0xcan'",
    "local_address": "'0xhot'",
    "orch_uri": "'https://u'",
    "capability_id": 35,
    "capability_name": "'Live'",
    "ingestion_timestamp": ARRIVAL,
}
PROJECTED = "toString(snapshot_ts), source_event_uid, orchestrator_address, orchestrator_proxy_address, "
PROJECTED += "orchestrator_url, capability_id, capability_name, capability_group"
AS_PROJECTED = ("2090-01-08 11:00:00.000", "uid", "0xcan", "0xhot", "https://u", 35, "Live", "unknown")


@pytest.mark.parametrize(
    ("table", "more"),
    [
        (
            "network_capabilities",
            {
                "pipeline": "live",
                "model_id": "m",
                "gpu_id": "GPU-1",
                "gpu_name": "RTX",
                "gpu_memory_total": 1 << 40,
                "gpu_major": 8,
                "gpu_minor": 9,
                "runner_version": "1.2",
            },
        ),
        ("network_capabilities_advertised", {"capability_catalog_version": "v1", "capacity": 300}),
        (
            "network_capabilities_model_constraints",
            {"model_id": "m", "runner_version": "1", "capacity": 400, "capacity_in_use": 300, "warm": 1},
        ),
        (
            "network_capabilities_prices",
            {"constraint_name": "m", "price_per_unit": 1 << 40, "pixels_per_unit": 1 << 41},
        ),
    ],
)
def test_capability(insert: Insert, project: Project, query: Query, table: str, more: dict[str, Any]) -> None:
    insert(table, **CAPABILITY, **{name: repr(value) for name, value in more.items()})
    project(table)
    assert query(f"SELECT {PROJECTED}, {', '.join(more)} FROM $.{READ_AS[table]}") == [(*AS_PROJECTED, *more.values())]


def test_what_one_event_says_of_several_prices_and_gpus_stays_apart(
    insert: Insert, project: Project, query: Query
) -> None:
    for name in ("a", "b"):
        insert("network_capabilities", gpu_id=f"'{name}'", **CAPABILITY)
        insert("network_capabilities_prices", constraint_name=f"'{name}'", **CAPABILITY)
    project("network_capabilities")
    project("network_capabilities_prices")
    assert query("SELECT gpu_id FROM $.dim_orchestrator_capability_snapshots ORDER BY 1") == [("a",), ("b",)]
    assert query("SELECT constraint_name FROM $.dim_orchestrator_capability_prices ORDER BY 1") == [("a",), ("b",)]


@pytest.mark.parametrize("table", READ_AS)
def test_only_what_arrived_in_the_window_is_projected_and_once(
    insert: Insert, project: Project, query: Query, table: str
) -> None:
    for uid, arrival in [("before", "11:59:59.999"), ("in", "12:00:00"), ("after", "12:00:00.001")]:
        insert(table, raw_event_uid=f"'{uid}'", ingestion_timestamp=f"'2090-01-08 {arrival}'")
    for _ in range(2):
        project(table)
        assert query(f"SELECT source_event_uid FROM $.{READ_AS[table]}") == [("in",)]


def test_current_capability_is_the_latest_snapshot_whole(insert: Insert, project: Project, query: Query) -> None:
    of_gpu = {**CAPABILITY, "gpu_id": "'GPU-1'"}
    for time, version, name in [("10:00", "'old'", "'RTX'"), ("11:00", "NULL", "'A100'"), ("09:00", "'older'", "'X'")]:
        insert(
            "network_capabilities",
            **{**of_gpu, "event_timestamp": f"'2090-01-08 {time}:00'", "runner_version": version, "gpu_name": name},
        )
    project("network_capabilities")
    assert query(
        "SELECT gpu_id, runner_version, gpu_name, toString(latest_snapshot_ts) "
        "FROM $.dim_orchestrator_capability_current"
    ) == [("GPU-1", None, "A100", "2090-01-08 11:00:00.000")]
