"""Typed rows become facts and dimensions, one to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lpa_core.delivery.touched_sessions import PROJECTED_TABLES
from lpa_sinks.materialize.statements import PROJECTIONS, statement
from lpa_sinks.testing.hand_made_rows import DAY, HandMade

Project = Callable[[str], None]

ARRIVAL = f"{DAY} 12:00:00"
ARRIVED = 3_787_560_000_000
"""The same in epoch milliseconds."""

READ_AS = {
    "stream_ingest_metrics": "fact_stream_ingest_samples",
    "network_capabilities": "dim_orchestrator_capability_snapshots",
    "network_capabilities_advertised": "dim_orchestrator_capability_advertised_snapshots",
    "network_capabilities_model_constraints": "dim_orchestrator_capability_model_constraints",
    "network_capabilities_prices": "dim_orchestrator_capability_prices",
}


@pytest.fixture
def project(hand: HandMade) -> Iterator[Project]:
    """Projects what arrived in the millisecond of ``ARRIVED``."""
    window = {"from": ARRIVED, "to": ARRIVED + 1}
    yield lambda table: hand.client.command(statement(PROJECTIONS[table], hand.database), parameters=window)
    hand.clear(*(f"{name}_versions" for name in READ_AS.values()))


def test_there_is_a_projection_of_each_table_that_is_touched_as_a_whole() -> None:
    assert set(PROJECTIONS) == PROJECTED_TABLES == set(READ_AS)


@pytest.mark.parametrize(
    ("stream", "request_", "uid", "session"),
    [
        ("s", "r", "e", "s|r"),
        (" s ", "r  ", "e", "s|r"),
        ("s", "  ", "e", "s|_missing_request"),
        (" ", "r", "e", "_missing_stream|r"),
        (" ", "", " e ", "_missing_stream|_missing_request|e"),
        ("", "", " ", "_missing_stream|_missing_request|_missing_event"),
        ("a b", "r|x", "e", "a b|r|x"),
        ("s\t", "\u00a0r", "e", "s\t|\u00a0r"),
    ],
)
def test_session_id(hand: HandMade, project: Project, stream: str, request_: str, uid: str, session: str) -> None:
    hand.insert(
        "stream_ingest_metrics",
        stream_id=stream,
        request_id=request_,
        raw_event_uid=uid,
        ingestion_timestamp=ARRIVAL,
    )
    project("stream_ingest_metrics")
    assert hand.rows("SELECT workflow_session_id FROM $.fact_stream_ingest_samples") == [(session,)]


def test_ingest_sample(hand: HandMade, project: Project) -> None:
    columns = {"video_jitter": 1, "audio_jitter": 2, "video_latency": 3, "audio_latency": 4}
    columns |= {"bytes_received": 5, "bytes_sent": 6}
    hand.insert(
        "stream_ingest_metrics",
        event_timestamp="2090-01-08 11:59:58.123",
        raw_event_uid="uid",
        org="org",
        stream_id="s",
        request_id="r",
        connection_quality="good",
        ingestion_timestamp=ARRIVAL,
        **columns,
    )
    project("stream_ingest_metrics")
    assert hand.rows(
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
    "event_timestamp": "2090-01-08 11:00:00",
    "raw_event_uid": "uid",
    "orchestrator_address": "0xcan",
    "local_address": "0xhot",
    "orch_uri": "https://u",
    "capability_id": 35,
    "capability_name": "Live",
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
def test_capability(hand: HandMade, project: Project, table: str, more: dict[str, Any]) -> None:
    hand.insert(table, **CAPABILITY, **more)
    project(table)
    assert hand.rows(f"SELECT {PROJECTED}, {', '.join(more)} FROM $.{READ_AS[table]}") == [
        (*AS_PROJECTED, *more.values())
    ]


def test_what_one_event_says_of_several_prices_and_gpus_stays_apart(hand: HandMade, project: Project) -> None:
    for name in ("a", "b"):
        hand.insert("network_capabilities", gpu_id=f"{name}", **CAPABILITY)
        hand.insert("network_capabilities_prices", constraint_name=f"{name}", **CAPABILITY)
    project("network_capabilities")
    project("network_capabilities_prices")
    assert hand.rows("SELECT gpu_id FROM $.dim_orchestrator_capability_snapshots ORDER BY 1") == [("a",), ("b",)]
    assert hand.rows("SELECT constraint_name FROM $.dim_orchestrator_capability_prices ORDER BY 1") == [("a",), ("b",)]


@pytest.mark.parametrize("table", READ_AS)
def test_only_what_arrived_in_the_window_is_projected_and_once(hand: HandMade, project: Project, table: str) -> None:
    for uid, arrival in [("before", "11:59:59.999"), ("in", "12:00:00"), ("after", "12:00:00.001")]:
        hand.insert(table, raw_event_uid=f"{uid}", ingestion_timestamp=f"2090-01-08 {arrival}")
    for _ in range(2):
        project(table)
        assert hand.rows(f"SELECT source_event_uid FROM $.{READ_AS[table]}") == [("in",)]


def test_current_capability_is_the_latest_snapshot_whole(hand: HandMade, project: Project) -> None:
    of_gpu = {**CAPABILITY, "gpu_id": "GPU-1"}
    for time, version, name in [("10:00", "old", "RTX"), ("11:00", None, "A100"), ("09:00", "older", "X")]:
        hand.insert(
            "network_capabilities",
            **{**of_gpu, "event_timestamp": f"2090-01-08 {time}:00", "runner_version": version, "gpu_name": name},
        )
    project("network_capabilities")
    assert hand.rows(
        "SELECT gpu_id, runner_version, gpu_name, toString(latest_snapshot_ts) "
        "FROM $.dim_orchestrator_capability_current"
    ) == [("GPU-1", None, "A100", "2090-01-08 11:00:00.000")]
