"""What consumers read, on facts made by hand (formulas: docs/spec/serving.md sections 1 to 7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.rollups import ChangedSamples, roll_up
from lpa_sinks.materialize.row_filter import SessionName
from lpa_sinks.testing.hand_made_rows import DAY, HandMade

UNEXCUSED: dict[str, Any] = {"startup_success": 0, "startup_unexcused": 1}
ZERO_OUTPUT: dict[str, Any] = {"zero_output_fps_session": 1}
UNKNOWN: dict[str, Any] = {"known_stream": 0, "health_expected_signal_count": 0}

SCORES = (
    "SELECT startup_success_ratio, no_swap_ratio, success_ratio, health_completeness_ratio, sla_score "
    "FROM $.v_api_sla_compliance"
)


def rounded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(round(value, 4) if isinstance(value, float) else value for value in row) for row in rows]


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        pytest.param([{}], (1, 1, 1, 1, 100), id="clean"),
        pytest.param(
            [{}, {**UNEXCUSED, **ZERO_OUTPUT, "health_signal_count": 1}],
            (0.5, 1, 0.5, 0.6667, 40),
            id="one of two unexcused without output",
        ),
        pytest.param([{"confirmed_swap_count": 1}, {}, {}, {}], (1, 0.75, 1, 1, 95), id="one of four swapped"),
        pytest.param([ZERO_OUTPUT], (1, 1, 0, 1, 60), id="no output"),
        pytest.param([UNKNOWN], (None, None, None, 1, None), id="unknown"),
        pytest.param(
            [{}, {**UNKNOWN, **ZERO_OUTPUT, "confirmed_swap_count": 1}],
            (1, 1, 1, 1, 100),
            id="unknown sessions lower no ratio and raise none",
        ),
        pytest.param([{"last_error_occurred": 1, "status_error_sample_count": 3}], (1, 1, 1, 1, 100), id="last error"),
        pytest.param([{"inferred_orchestrator_change_count": 1}], (1, 0, 1, 1, 80), id="inferred change"),
        pytest.param([{"loading_only_session": 1, **ZERO_OUTPUT}], (1, 1, 0, 1, 60), id="loading counts once"),
        pytest.param([{"health_signal_count": 4}], (1, 1, 1, 1, 100), id="health is at most 1"),
    ],
)
def test_sla_score(hand: HandMade, sessions: list[dict[str, Any]], expected: tuple[float | None, ...]) -> None:
    for number, values in enumerate(sessions):
        hand.session(f"s|{number}", **values)
        hand.sample("10:05:00", f"s|{number}")
    hand.roll_up(10)
    assert rounded(hand.rows(SCORES)) == [expected]


def test_unknown_sessions_stay_in_the_plain_counts(hand: HandMade) -> None:
    hand.session(**UNKNOWN, zero_output_fps_session=1, confirmed_swap_count=1)
    hand.sample()
    hand.roll_up(10)
    counts = "known_sessions, zero_output_fps_sessions, swapped_sessions, health_signal_count"
    for view in ("v_api_sla_compliance", "v_api_gpu_metrics", "v_api_network_demand", "v_api_network_demand_by_gpu"):
        assert hand.rows(f"SELECT {counts} FROM $.{view}") == [(0, 1, 1, 3)]


def test_a_session_counts_in_every_hour_with_samples_for_sla_and_in_its_first_for_gpus(hand: HandMade) -> None:
    hand.session(start="10:59:00", end="11:30:00")
    hand.session("no|samples", start="10:00:00")
    hand.sample("10:59:30")
    hand.sample("11:20:00")
    hand.roll_up(10, 11)
    query = "SELECT toHour(window_start), known_sessions FROM $.{} ORDER BY 1"
    assert hand.rows(query.format("v_api_sla_compliance")) == [(10, 1), (11, 1)]
    assert hand.rows(query.format("v_api_gpu_metrics")) == [(10, 2), (11, 0)]


IDLE: dict[str, Any] = {"output_fps": 0, "state": "OFFLINE"}
HOURS = "SELECT toHour(window_start) FROM $.{} ORDER BY 1"


def hours(hand: HandMade, view: str) -> list[int]:
    return [hour for (hour,) in hand.rows(HOURS.format(view))]


@pytest.mark.parametrize(
    ("tail", "before", "session", "filtered"),
    [
        pytest.param([IDLE, IDLE], [IDLE], {}, True, id="a terminal tail"),
        pytest.param([IDLE] * 3, [IDLE], {}, False, id="three samples"),
        pytest.param([{**IDLE, "output_fps": 1}], [IDLE], {}, False, id="output"),
        pytest.param([{**IDLE, "state": "DEGRADED_INPUT"}], [IDLE], {}, False, id="running"),
        pytest.param([IDLE], [IDLE] * 3, {}, False, id="three samples before"),
        pytest.param([IDLE], [IDLE, {}], {}, False, id="work before"),
        pytest.param([IDLE], [], {}, False, id="nothing before"),
        pytest.param([IDLE], [{**IDLE, "gpu_id": "GPU-2"}], {}, False, id="another GPU before"),
        pytest.param([IDLE], [IDLE], {"end": "12:00:00"}, False, id="ends later"),
        pytest.param([IDLE], [IDLE], {"session_end_ts": None}, False, id="has no end"),
        pytest.param([IDLE], [IDLE], {"start": "11:00:00"}, False, id="started in the hour"),
        pytest.param([IDLE], [{**IDLE, "gateway": "another"}], {}, True, id="another gateway before"),
    ],
)
def test_terminal_tail(
    hand: HandMade, tail: list[dict[str, Any]], before: list[dict[str, Any]], session: dict[str, Any], filtered: bool
) -> None:
    hand.session(**{"start": "10:59:00", "end": "11:10:00", **session})
    for hour, samples in ((10, before), (11, tail)):
        for number, values in enumerate(samples):
            hand.sample(f"{hour}:00:0{number}", **values)
    hand.roll_up(10, 11)
    shown = [hour for hour in hours(hand, "v_api_sla_compliance") if hour == 11]
    assert shown == ([] if filtered else [11])
    starts_here = session.get("start", "").startswith("11")
    assert (11 in hours(hand, "v_api_gpu_metrics")) is (not filtered or starts_here)


def test_a_tail_beside_another_session_drops_only_its_own_part(hand: HandMade) -> None:
    hand.session(start="10:59:00", end="11:10:00")
    hand.session("other|r", start="10:30:00", end="11:40:00")
    hand.sample("10:59:30", **IDLE)
    hand.sample("11:00:01", **IDLE)
    hand.sample("11:00:02", "other|r")
    hand.roll_up(10, 11)
    where = "WHERE toHour(window_start) = 11"
    assert hand.rows(f"SELECT known_sessions FROM $.v_api_sla_compliance {where}") == [(1,)]
    assert hand.rows(f"SELECT status_samples, avg_output_fps FROM $.v_api_gpu_metrics {where}") == [(2, 10.0)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_failures_without_output_stay_visible(hand: HandMade, count: int) -> None:
    hand.session(start="10:00:00", end="10:10:00", **UNEXCUSED, **ZERO_OUTPUT)
    for number in range(count):
        hand.sample(f"10:00:0{number}", **IDLE)
    hand.roll_up(10)
    assert hours(hand, "v_api_sla_compliance") == hours(hand, "v_api_gpu_metrics") == [10]


def test_gpu_metrics(hand: HandMade) -> None:
    hand.session(startup_excused=1, startup_success=0, error_count=2)
    hand.session("s|r2", confirmed_swap_count=1, inferred_orchestrator_change_count=1, last_error_occurred=1)
    hand.session("s|r3", **UNEXCUSED, loading_only_session=1, status_error_sample_count=4, health_signal_count=0)
    for number, fps in enumerate([10, 30, 20, 20]):
        hand.sample(f"10:05:0{number}", output_fps=fps)
    identity = {"orchestrator_address": "0xcan", "pipeline": "live", "model_id": "model", "gpu_id": "GPU-1"}
    for number, (prompt, startup, e2e) in enumerate([(1000, 500, 1500), (3000, None, None), (None, 700, None)]):
        hand.insert(
            "fact_workflow_latency_samples_versions",
            workflow_session_id=f"s|{number}",
            sample_ts=f"{DAY} 10:00:00",
            **identity,
            prompt_to_first_frame_ms=prompt,
            startup_time_ms=startup,
            e2e_latency_ms=e2e,
            has_prompt_to_first_frame=int(prompt is not None),
            has_startup_time=int(startup is not None),
            has_e2e_latency=int(e2e is not None),
        )
    hand.insert(
        "dim_orchestrator_capability_snapshots_versions",
        snapshot_ts=f"{DAY} 09:00:00",
        **identity,
        gpu_name="RTX",
        gpu_memory_total=1 << 35,
        gpu_major=8,
        gpu_minor=9,
        runner_version="1.2",
    )
    hand.roll_up(10)
    (row,) = hand.client.query(f"SELECT * FROM {hand.database}.v_api_gpu_metrics").named_results()
    assert {name: value for name, value in row.items() if name != "window_start"} == {
        **identity,
        "org": "",
        "region": None,
        "gpu_name": "RTX",
        "gpu_memory_total": 1 << 35,
        "runner_version": "1.2",
        "cuda_version": "8.9",
        "avg_output_fps": 20.0,
        "p95_output_fps": pytest.approx(30.0, abs=1),
        "jitter_coeff_fps": pytest.approx(50**0.5 / 20),
        "status_samples": 4,
        "prompt_to_first_frame_ms": 2000.0,
        "startup_time_ms": 600.0,
        "startup_time_s": 0.6,
        "e2e_latency_ms": 1500.0,
        "p95_prompt_to_first_frame_ms": pytest.approx(3000.0),
        "p95_startup_time_ms": pytest.approx(700.0),
        "p95_e2e_latency_ms": pytest.approx(1500.0),
        "valid_prompt_to_first_frame_count": 2,
        "valid_startup_time_count": 2,
        "valid_e2e_latency_count": 1,
        "known_sessions": 3,
        "startup_success_sessions": 1,
        "excused_sessions": 1,
        "unexcused_sessions": 1,
        "confirmed_swapped_sessions": 1,
        "inferred_orchestrator_change_sessions": 1,
        "swapped_sessions": 1,
        "sessions_with_errors": 1,
        "sessions_with_last_error": 1,
        "loading_only_sessions": 1,
        "zero_output_fps_sessions": 0,
        "status_error_samples": 4,
        "health_signal_count": 6,
        "health_expected_signal_count": 9,
        "health_completeness_ratio": pytest.approx(6 / 9),
        "failure_rate": pytest.approx(1 / 3),
        "swap_rate": pytest.approx(1 / 3),
    }


def test_gpu_metrics_without_samples_latency_or_labels_are_null(hand: HandMade) -> None:
    hand.session()
    assert hand.rows(
        "SELECT gpu_name, cuda_version, avg_output_fps, p95_output_fps, jitter_coeff_fps, status_samples, "
        "prompt_to_first_frame_ms, p95_e2e_latency_ms, valid_e2e_latency_count FROM $.v_api_gpu_metrics"
    ) == [(None, None, None, None, None, 0, None, None, 0)]


def test_jitter_is_null_without_output(hand: HandMade) -> None:
    for second in range(10, 20):
        hand.sample(f"10:00:{second}", **IDLE)
    hand.roll_up(10)
    for view in ("v_api_gpu_metrics", "v_api_jitter_5m"):
        assert hand.rows(f"SELECT avg_output_fps, jitter_coeff_fps, status_samples FROM $.{view}") == [(0.0, None, 10)]


@pytest.mark.parametrize(("samples", "shown"), [(9, []), (10, [(10, 20.0, 0.5)])])
def test_jitter_5m_needs_ten_samples_of_any_gateway(
    hand: HandMade, samples: int, shown: list[tuple[int, float, float]]
) -> None:
    for number in range(samples):
        hand.sample(f"10:0{number % 5}:0{number}", output_fps=[10, 30][number % 2], gateway=f"g{number % 3}")
    hand.sample("10:05:00")
    hand.roll_up(10)
    assert hand.rows("SELECT status_samples, avg_output_fps, jitter_coeff_fps FROM $.v_api_jitter_5m") == shown


DEMAND = (
    "SELECT pipeline, total_sessions, known_sessions, served_sessions, unserved_sessions, total_demand_sessions, "
    "startup_success_ratio, success_ratio FROM $.v_api_network_demand ORDER BY ALL"
)


def test_demand_counts_the_served_and_the_unserved(hand: HandMade) -> None:
    hand.session()
    hand.sample()
    hand.session("s|failed", **UNEXCUSED, **ZERO_OUTPUT)
    unattributed = {"orchestrator_address": "", "gpu_id": None}
    hand.session("s|unserved", **unattributed, startup_success=0, startup_excused=1)
    hand.session("s|unknown", **UNKNOWN, **unattributed)
    hand.roll_up(10)
    assert rounded(hand.rows(DEMAND)) == [("live", 1, 3, 2, 1, 3, 0.6667, 0.6667)]


def test_demand_without_known_sessions_has_no_ratios(hand: HandMade) -> None:
    hand.session(**UNKNOWN)
    assert hand.rows(DEMAND) == [("live", 0, 0, 0, 0, 0, None, None)]


@pytest.mark.parametrize(
    ("pipelines", "expected"),
    [
        (["live", ""], ["live"]),
        (["live", "", "other"], ["", "live", "other"]),
        (["MODEL", "live"], ["live"]),
        (["MODEL", ""], [""]),
    ],
)
def test_a_pipeline_that_is_missing_is_that_of_the_others(
    hand: HandMade, pipelines: list[str], expected: list[str]
) -> None:
    for number, pipeline in enumerate(pipelines):
        hand.session(f"s|{number}", pipeline=pipeline)
    assert [pipeline for pipeline, *_ in hand.rows(DEMAND)] == expected


def test_samples_take_the_pipeline_of_sessions_and_sessions_are_counted_once(hand: HandMade) -> None:
    hand.session()
    hand.sample("10:05:00", pipeline="")
    hand.sample("10:05:01")
    hand.roll_up(10)
    assert hand.rows("SELECT pipeline, total_sessions, total_streams, status_samples FROM $.v_api_network_demand") == [
        ("live", 1, 1, 2)
    ]


FEES = (
    "SELECT toHour(window_start), gateway, pipeline, fee_payment_eth, expected_fee_eth "
    "FROM $.v_api_network_demand ORDER BY 1, 2"
)


def pay(hand: HandMade, at: str, request_id: str, face_value: str) -> None:
    hand.insert(
        "payment_events",
        event_timestamp=f"{DAY} {at}",
        request_id=request_id,
        face_value=face_value,
        win_prob="0.5",
        num_tickets="3",
    )


def test_fees(hand: HandMade) -> None:
    hand.session()
    hand.session("earlier|r", start="09:00:00", gateway="earlier")
    hand.sample()
    hand.roll_up(10)
    pay(hand, "10:01:00", "r", "2402400000000000 WEI")
    pay(hand, "10:02:00", "r", "1")
    pay(hand, "10:59:00", "nobody", "1 ETH")  # no such session
    pay(hand, "12:00:00", "r", "500000000000000000")  # an hour without a row of the session
    pay(hand, "12:00:00", "", "500000000000000000")
    fee, worth = 0.002402400000000001, 0.003603600000000001
    assert hand.rows(FEES) == [
        (9, "earlier", "live", 0.0, 0.0),
        (10, "", "", 1.0, 1.5),
        (10, "gateway", "live", fee, worth),
        (12, "", "", 1.0, 1.5),
    ]
    by_gpu = "SELECT toHour(window_start), fee_payment_eth, expected_fee_eth FROM $.v_api_network_demand_by_gpu"
    assert hand.rows(by_gpu) == [(10, fee, worth)]


def test_demand_by_gpu(hand: HandMade) -> None:
    hand.session()
    hand.session("s|r2", start="10:01:00", gpu_id="GPU-2", **UNEXCUSED)
    hand.session("s|r3", start="10:02:00", gpu_id=None, confirmed_swap_count=1)
    hand.session("s|r4", gpu_id="GPU-9")  # without samples on its GPU
    for number in range(3):
        hand.sample(f"10:05:0{number}", "s|r3", gpu_id=None)
    hand.sample("10:05:09", "s|r2", gpu_id="GPU-2")
    hand.sample("10:05:00", output_fps=1)
    identity = {"orchestrator_address": "0xcan", "model_id": "model"}
    hand.insert(
        "dim_orchestrator_capability_snapshots_versions",
        snapshot_ts=f"{DAY} 09:00:00", **identity, pipeline="live", gpu_id="GPU-1", gpu_name="RTX",
    )  # fmt: skip
    for snapshot_ts, capacity in [("08:00:00", 9), ("09:00:00", 2)]:
        hand.insert(
            "dim_orchestrator_capability_model_constraints_versions",
            snapshot_ts=f"{DAY} {snapshot_ts}", **identity, capacity=capacity,
        )  # fmt: skip
    hand.roll_up(10)
    assert rounded(
        hand.rows(
            "SELECT gpu_id, gpu_type, total_sessions, status_samples, used_inference_minutes, "
            "available_capacity_minutes, capacity_rate, known_sessions, unexcused_sessions, swapped_sessions "
            "FROM $.v_api_network_demand_by_gpu ORDER BY gpu_id"
        )
    ) == [
        ("GPU-1", "RTX", 1, 1, 0.1667, 120.0, 0.0014, 1, 0, 0),
        ("GPU-2", "unknown", 2, 4, 0.6667, 120.0, 0.0056, 2, 1, 1),
    ]


def test_wrong_clocks_are_left_out(hand: HandMade) -> None:
    hand.session(start="1999-12-31 23:59:59", end="1999-12-31 23:59:59")
    hand.sample("1970-01-01 00:00:00")
    hand.roll_up()
    for view in ("v_api_sla_compliance", "v_api_gpu_metrics", "v_api_network_demand", "v_api_network_demand_by_gpu"):
        assert hand.rows(f"SELECT * FROM $.{view}") == []


@pytest.mark.slow
def test_failure_08_hours_reach_from_2000_to_2299(hand: HandMade) -> None:
    times = {"odd": "1900-01-01 00:30:00", "first": "2000-01-01 00:00:00", "late": "2299-12-31 22:30:00"}
    changed = ChangedSamples()
    for name, at in times.items():
        hand.session(f"{name}|r", start=at, end=at, gpu_id=name)
        hand.sample(at, f"{name}|r", gpu_id=name)
        for second in (1, 2, 3, 4, 5, 6, 7, 8, 9):
            hand.sample(f"{at[:-2]}{second:02}", f"{name}|r", gpu_id=name)
        minute = int(datetime.fromisoformat(f"{at}Z").timestamp())
        changed.add([minute], [SessionName("", f"{name}|r")])
    hand.roll_up()
    roll_up(FactDatabase(hand.client, hand.database), changed)
    minutes = hand.rows("SELECT toString(window_start) FROM $.agg_stream_performance_1m ORDER BY window_start")
    assert minutes == [(f"{at}.000",) for at in times.values()]
    expected = [("first", "2000-01-01 00:00:00.000"), ("late", "2299-12-31 22:00:00.000")]
    for view in ("v_api_sla_compliance", "v_api_gpu_metrics", "v_api_network_demand_by_gpu"):
        assert hand.rows(f"SELECT gpu_id, toString(window_start) FROM $.{view} ORDER BY window_start") == expected
    five = hand.rows("SELECT gpu_id, toString(window_start_5m) FROM $.v_api_jitter_5m ORDER BY window_start_5m")
    assert five == [("first", "2000-01-01 00:00:00.000"), ("late", "2299-12-31 22:30:00.000")]


def test_a_session_is_read_in_its_latest_version_wherever_it_starts(hand: HandMade) -> None:
    hand.session(start="10:00:00")
    hand.session(start="09:00:00", orchestrator_address="0xlatest")
    assert hand.rows("SELECT orchestrator_address, toHour(session_start_ts) FROM $.v_api_session_identity") == [
        ("0xlatest", 9)
    ]
    assert hours(hand, "v_api_network_demand") == [9]
    hand.session(is_deleted=1)
    assert hand.rows("SELECT * FROM $.v_api_session_identity") == hand.rows("SELECT * FROM $.v_api_gpu_metrics") == []


def test_freshness(hand: HandMade) -> None:
    lag = "SELECT table_name, lag_minutes FROM $.v_health_rollup_freshness ORDER BY 1"
    assert hand.rows(lag) == [("fact_stream_status_samples", None), ("fact_workflow_sessions", None)]
    hand.session(start="2090-01-01 00:00:00")  # a clock that runs ahead says nothing
    (then,) = hand.rows("SELECT toString(now64(3) - toIntervalSecond(3 * 60 + 30))")
    hand.session("s|2", start=then[0])
    hand.sample(then[0])
    assert hand.rows(lag) == [("fact_stream_status_samples", 3), ("fact_workflow_sessions", 3)]
