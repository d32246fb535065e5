"""Rollups say what the samples of their hours say, also after samples moved or went."""

from __future__ import annotations

import statistics

import pytest

from lpa_sinks.testing.hand_made_rows import HandMade

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


KEY = ("gateway", "0xcan", "live", "model", "GPU-1", None)


def test_of_a_minute(hand: HandMade) -> None:
    fps = [10.0, 20.0, 30.5]
    for second, value in enumerate(fps):
        hand.sample(f"10:00:0{second}", output_fps=value)
    hand.sample("10:00:59.999", output_fps=0, session_id="s|r2", state="LOADING")
    hand.sample("10:01:00", output_fps=7)
    hand.sample("10:00:30", output_fps=99, session_id="x|y", is_attributed=0)
    hand.roll_up(10)
    all_fps = [*fps, 0.0]
    mean, deviation = statistics.fmean(all_fps), round(statistics.pstdev(all_fps), 6)
    assert hand.rows(MINUTES) == [
        ("2090-01-08 10:00:00.000", *KEY, 2, 1, 4, mean, deviation, mean, pytest.approx(30.5)),
        ("2090-01-08 10:01:00.000", *KEY, 1, 1, 1, 7.0, 0.0, 7.0, 7.0),
    ]
    fps.append(7.0)
    hour = ("2090-01-08 10:00:00.000",)
    assert hand.rows(HOURS) == [
        (*hour, "s|r", "s", "0xcan", "GPU-1", 4, 4, 4, statistics.fmean(fps), round(statistics.pstdev(fps), 6)),
        (*hour, "s|r2", "s", "0xcan", "GPU-1", 1, 0, 0, 0.0, 0.0),
    ]


@pytest.mark.parametrize(
    "dimension", ["org", "gateway", "orchestrator_address", "pipeline", "model_id", "gpu_id", "region"]
)
def test_every_dimension_has_its_own_row(hand: HandMade, dimension: str) -> None:
    hand.sample("10:00:00")
    hand.sample("10:00:01", **{dimension: "another"})
    hand.roll_up(10)
    for table in ("agg_stream_performance_1m", "agg_session_performance_1h"):
        hand.client.command(f"OPTIMIZE TABLE {hand.database}.{table}_versions FINAL")
        assert hand.rows(f"SELECT count(), uniqExact({dimension}) FROM $.{table}")[0][0] == 2


def test_empty_and_missing_labels_are_the_same_row(hand: HandMade) -> None:
    hand.sample("10:00:00", model_id=None, gpu_id=None)
    hand.sample("10:00:01", model_id="", gpu_id="")
    hand.roll_up(10)
    assert [row[4:6] + row[9:10] for row in hand.rows(MINUTES)] == [(None, None, 2)]
    assert [row[4:6] for row in hand.rows(HOURS)] == [(None, 2)]


def test_rolled_up_again_nothing_changes(hand: HandMade) -> None:
    hand.sample("10:00:00")
    hand.roll_up(10)
    before = hand.rows(MINUTES), hand.rows(HOURS)
    hand.roll_up(10)
    assert (hand.rows(MINUTES), hand.rows(HOURS)) == before


def test_what_samples_no_longer_say_is_gone(hand: HandMade) -> None:
    hand.sample("10:00:00")
    hand.sample("10:05:00")
    hand.sample("11:00:00")
    hand.roll_up(10, 11)
    hand.sample("10:00:00", orchestrator_address="0xother")
    hand.sample("10:05:00", is_deleted=1)
    hand.sample("11:00:00", is_attributed=0)
    hand.roll_up(10)
    assert [row[:3] for row in hand.rows(MINUTES)] == [
        ("2090-01-08 10:00:00.000", "gateway", "0xother"),
        ("2090-01-08 11:00:00.000", "gateway", "0xcan"),  # of an hour that nobody asked for
    ]
    assert [(row[0], row[3]) for row in hand.rows(HOURS)] == [
        ("2090-01-08 10:00:00.000", "0xother"),
        ("2090-01-08 11:00:00.000", "0xcan"),
    ]
    hand.roll_up(11)
    hand.sample("10:00:00")
    hand.roll_up(10)
    assert [row[:3] for row in hand.rows(MINUTES)] == [("2090-01-08 10:00:00.000", "gateway", "0xcan")]
    assert [(row[0], row[3]) for row in hand.rows(HOURS)] == [("2090-01-08 10:00:00.000", "0xcan")]


def test_only_the_hours_asked_for_are_made(hand: HandMade) -> None:
    for hour in ("09", "10", "11"):
        hand.sample(f"{hour}:59:59.999")
        hand.sample(f"{hour}:00:00")
    hand.roll_up(10)
    assert [row[0] for row in hand.rows(MINUTES)] == ["2090-01-08 10:00:00.000", "2090-01-08 10:59:00.000"]
    assert [(row[0], row[5]) for row in hand.rows(HOURS)] == [("2090-01-08 10:00:00.000", 2)]
