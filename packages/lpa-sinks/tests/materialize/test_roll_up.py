"""Rollups say what the samples of their hours say, also after samples moved or went."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from lpa_sinks.materialize.database import Database
from lpa_sinks.materialize.rollups import roll_up as roll_up_samples

Insert = Callable[..., None]
Query = Callable[[str], list[tuple[Any, ...]]]
RollUp = Callable[..., None]

MINUTES = (
    "SELECT toString(window_start), gateway, orchestrator_address, pipeline, model_id, gpu_id, region, "
    "uniqExactMerge(sessions_uniq_state), uniqExactMerge(streams_uniq_state), countMerge(sample_count_state), "
    "round(avgMerge(output_fps_avg_state), 6), round(stddevPopMerge(fps_jitter_num_state), 6), "
    "round(avgMerge(fps_jitter_den_state), 6), round(quantileTDigestMerge(0.95)(output_fps_p95_state), 6) "
    "FROM $.agg_stream_performance_1m GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY ALL"
)
HOURS = (
    "SELECT toString(window_start), workflow_session_id, stream_id, orchestrator_address, gpu_id, sample_count, "
    "output_sample_count, running_sample_count, round(finalizeAggregation(output_fps_avg_state), 6), "
    "round(finalizeAggregation(output_fps_stddev_state), 6) FROM $.agg_session_performance_1h ORDER BY ALL"
)


@pytest.fixture
def roll_up(engine: Client, made: str) -> RollUp:
    def run(*hours: int) -> None:
        of_day = [int(datetime(2090, 1, 8, hour, tzinfo=UTC).timestamp()) for hour in hours]
        minutes = [hour + 60 * minute for hour in of_day for minute in range(60)]
        sessions = engine.query(f"SELECT DISTINCT workflow_session_id FROM {made}.fact_stream_status_samples_versions")
        roll_up_samples(Database(engine, made), minutes, [name for (name,) in sessions.result_rows])

    return run


@pytest.fixture
def sample(insert: Insert) -> Insert:
    """Inserts an attributed sample of 2090-01-08 ``time``."""

    def insert_sample(time: str, fps: float = 20, session: str = "s|r", **values: object) -> None:
        row = {
            "sample_ts": f"'2090-01-08 {time}'",
            "workflow_session_id": f"'{session}'",
            "stream_id": f"'{session.partition('|')[0]}'",
            "gateway": "'g'",
            "orchestrator_address": "'0xcan'",
            "pipeline": "'live'",
            "model_id": "'m'",
            "gpu_id": "'GPU-1'",
            "state": "'ONLINE'",
            "output_fps": fps,
            "is_attributed": 1,
            "source_event_uid": f"'{session} {time}'",
            "version": 1,
        }
        insert("fact_stream_status_samples_versions", **{**row, **values})

    return insert_sample


KEY = ("g", "0xcan", "live", "m", "GPU-1", None)


def test_of_a_minute(sample: Insert, roll_up: RollUp, query: Query) -> None:
    fps = [10.0, 20.0, 30.5]
    for second, value in enumerate(fps):
        sample(f"10:00:0{second}", value)
    sample("10:00:59.999", 0, session="s|r2", state="'LOADING'")
    sample("10:01:00", 7)
    sample("10:00:30", 99, session="x|y", is_attributed=0)
    roll_up(10)
    all_fps = [*fps, 0.0]
    mean, deviation = statistics.fmean(all_fps), round(statistics.pstdev(all_fps), 6)
    assert query(MINUTES) == [
        ("2090-01-08 10:00:00.000", *KEY, 2, 1, 4, mean, deviation, mean, pytest.approx(30.5)),
        ("2090-01-08 10:01:00.000", *KEY, 1, 1, 1, 7.0, 0.0, 7.0, 7.0),
    ]
    fps.append(7.0)
    hour = ("2090-01-08 10:00:00.000",)
    assert query(HOURS) == [
        (*hour, "s|r", "s", "0xcan", "GPU-1", 4, 4, 4, statistics.fmean(fps), round(statistics.pstdev(fps), 6)),
        (*hour, "s|r2", "s", "0xcan", "GPU-1", 1, 0, 0, 0.0, 0.0),
    ]


@pytest.mark.parametrize(
    "dimension", ["org", "gateway", "orchestrator_address", "pipeline", "model_id", "gpu_id", "region"]
)
def test_every_dimension_has_its_own_row(
    sample: Insert, roll_up: RollUp, query: Query, engine: Client, made: str, dimension: str
) -> None:
    sample("10:00:00")
    sample("10:00:01", **{dimension: "'another'"})
    roll_up(10)
    for table in ("agg_stream_performance_1m", "agg_session_performance_1h"):
        engine.command(f"OPTIMIZE TABLE {made}.{table}_versions FINAL")
        assert query(f"SELECT count(), uniqExact({dimension}) FROM $.{table}")[0][0] == 2


def test_empty_and_missing_labels_are_the_same_row(sample: Insert, roll_up: RollUp, query: Query) -> None:
    sample("10:00:00", model_id="NULL", gpu_id="NULL")
    sample("10:00:01", model_id="''", gpu_id="''")
    roll_up(10)
    assert [row[4:6] + row[9:10] for row in query(MINUTES)] == [(None, None, 2)]
    assert [row[4:6] for row in query(HOURS)] == [(None, 2)]


def test_rolled_up_again_nothing_changes(sample: Insert, roll_up: RollUp, query: Query) -> None:
    sample("10:00:00")
    roll_up(10)
    before = query(MINUTES), query(HOURS)
    roll_up(10)
    assert (query(MINUTES), query(HOURS)) == before


def test_what_samples_no_longer_say_is_gone(sample: Insert, roll_up: RollUp, query: Query) -> None:
    sample("10:00:00")
    sample("10:05:00")
    sample("11:00:00")
    roll_up(10, 11)
    sample("10:00:00", version=2, orchestrator_address="'0xother'")
    sample("10:05:00", version=2, is_deleted=1)
    sample("11:00:00", version=2, is_attributed=0)
    roll_up(10)
    assert [row[:3] for row in query(MINUTES)] == [
        ("2090-01-08 10:00:00.000", "g", "0xother"),
        ("2090-01-08 11:00:00.000", "g", "0xcan"),  # of an hour that nobody asked for
    ]
    assert [(row[0], row[3]) for row in query(HOURS)] == [
        ("2090-01-08 10:00:00.000", "0xother"),
        ("2090-01-08 11:00:00.000", "0xcan"),
    ]
    roll_up(11)
    sample("10:00:00", version=3)
    roll_up(10)
    assert [row[:3] for row in query(MINUTES)] == [("2090-01-08 10:00:00.000", "g", "0xcan")]
    assert [(row[0], row[3]) for row in query(HOURS)] == [("2090-01-08 10:00:00.000", "0xcan")]


def test_only_the_hours_asked_for_are_made(sample: Insert, roll_up: RollUp, query: Query) -> None:
    for hour in ("09", "10", "11"):
        sample(f"{hour}:59:59.999")
        sample(f"{hour}:00:00")
    roll_up(10)
    assert [row[0] for row in query(MINUTES)] == ["2090-01-08 10:00:00.000", "2090-01-08 10:59:00.000"]
    assert [(row[0], row[5]) for row in query(HOURS)] == [("2090-01-08 10:00:00.000", 2)]
