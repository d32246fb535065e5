"""The quality score of SLA rows, and the benchmark that it compares with (docs/spec/producers.md section 7)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.quality_benchmarks import QualityBenchmarks
from lpa_sinks.testing.hand_made_rows import DAY, DAY_BEFORE, HandMade
from lpa_sinks.testing.network_events import network
from lpa_sinks.testing.stored_events import NewStore, StoredEvents

FPS_STATE = "arrayReduce('avgState', [assumeNotNull(toFloat32(_fps))])"
BENCHMARKS = "agg_quality_benchmark_1d_versions"


def score(hand: HandMade) -> float | None:
    ((found,),) = hand.rows("SELECT sla_quality_score FROM $.v_api_sla_compliance")
    return found


def test_the_check_of_the_specification(hand: HandMade) -> None:
    for number in range(10):
        hand.session(
            f"s|{number}",
            startup_success=int(number != 0),
            startup_excused=int(number == 0),
            confirmed_swap_count=int(number == 1),
            zero_output_fps_session=int(number == 2),
            health_signal_count=0 if number == 3 else 3,
        )
        for second in range(6):
            hand.sample(f"10:05:0{second}", f"s|{number}", output_fps=12)
    hand.roll_up(10)
    for number in range(5):
        hand.latency(f"s|{number}", prompt_to_first_frame_ms=4000 + 500 * number)
    hand.benchmark(
        prompt_to_first_frame_rows=100,
        prompt_to_first_frame_ms_p50=4000,
        prompt_to_first_frame_ms_p90=8000,
        output_fps_rows=100,
        output_fps_p10=8,
        output_fps_p50=16,
    )
    assert score(hand) == pytest.approx(71.415)


@attrs.frozen
class Measured:
    """A value of a row, and the benchmark of its day: ``best`` is its p50, ``worst`` its p90, of frames its p10."""

    value: int | None
    samples: int
    best: int
    worst: int
    rows: int

    def grade(self, enough: int, sign: int = 1) -> float:
        if self.value is None or self.rows < 48:
            plain = 0.5
        elif sign * self.value <= sign * self.best:
            plain = 1.0
        elif sign * self.best >= sign * self.worst or sign * self.value >= sign * self.worst:
            plain = 0.0
        else:
            plain = (self.worst - self.value) / (self.worst - self.best)
        return 0.5 + min(self.samples / enough, 1) * (plain - 0.5)


def latencies() -> st.SearchStrategy[Measured]:
    """Few values, so that edges meet, cross and are hit."""
    few = st.integers(1, 6)
    return st.one_of(
        st.builds(Measured, few, few | st.just(20), few, few, st.sampled_from([0, 47, 48, 100])),
        st.builds(Measured, st.none(), st.just(0), few, few, st.just(48)),
    )


@attrs.frozen
class Row:
    """One row of the view. Each session is (success, swapped, without output, health signals)."""

    sessions: tuple[tuple[bool, bool, bool, int], ...]
    prompt: Measured
    e2e: Measured
    fps: Measured

    def score(self) -> float | None:
        count = len(self.sessions)
        if not count:
            return None
        success, swapped, failed, signals = (sum(column) for column in zip(*self.sessions, strict=True))
        complete = min(signals / (3 * count), 1)
        reliability = (0.4 * success + 0.2 * (count - swapped) + 0.4 * (count - failed)) / count
        quality = 0.6 * (0.6 * self.prompt.grade(10) + 0.4 * self.e2e.grade(10)) + 0.4 * self.fps.grade(30, -1)
        return 100 * complete * (0.7 * reliability + 0.3 * quality)


def rows() -> st.SearchStrategy[Row]:
    # Repeated signals of a session are more than expected.
    session = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.sampled_from([0, 3, 3, 4]))
    fps = st.builds(
        Measured, st.integers(1, 6), st.integers(1, 40), st.integers(1, 6), st.integers(1, 6), st.sampled_from([47, 48])
    )
    return st.builds(Row, st.lists(session, max_size=4).map(tuple), latencies(), latencies(), fps)


@pytest.mark.slow
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(rows(), min_size=20, max_size=40))
def test_the_score_is_that_of_the_specification(hand: HandMade, given_rows: list[Row]) -> None:
    """Null without known sessions, from 0 to 100, edges that are equal or crossed: in the SQL that is delivered."""
    hand.clear()
    identity = {"pipeline": "live", "orchestrator_address": "0xcan"}
    sessions, hours, latency, benchmarks = [], [], [], []
    for number, row in enumerate(given_rows):
        model = {**identity, "model_id": str(number)}
        names = [f"{number}|{each}" for each in range(len(row.sessions))]
        for name, (success, swapped, failed, signals) in zip(names, row.sessions, strict=True):
            sessions.append(
                {
                    "workflow_session_id": name,
                    **model,
                    "session_start_ts": f"{DAY} 10:00:00",
                    "known_stream": 1,
                    "startup_success": int(success),
                    "startup_unexcused": 0,
                    "startup_excused": int(not success),
                    "confirmed_swap_count": int(swapped),
                    "loading_only_session": int(failed),
                    "health_signal_count": signals,
                    "health_expected_signal_count": 3,
                }
            )
        unknown = {"workflow_session_id": f"{number}|unknown", **model, "window_start": f"{DAY} 10:00:00"}
        hours.append({**unknown, "sample_count": row.fps.samples, "_fps": row.fps.value})
        hours += [{**unknown, "workflow_session_id": name, "sample_count": 0, "_fps": 0} for name in names]
        for name, measured in (("prompt_to_first_frame", row.prompt), ("e2e_latency", row.e2e)):
            latency += [
                {
                    "workflow_session_id": f"{number}|{name}|{each}",
                    **model,
                    "sample_ts": f"{DAY} 10:00:00",
                    "prompt_to_first_frame_ms": measured.value,
                    "e2e_latency_ms": measured.value,
                    "has_prompt_to_first_frame": int(measured is row.prompt),
                    "has_e2e_latency": int(measured is row.e2e),
                }
                for each in range(measured.samples)
            ]
        benchmarks.append(
            {
                "window_start": f"{DAY_BEFORE} 00:00:00",
                "pipeline": "live",
                "model_id": str(number),
                "prompt_to_first_frame_rows": row.prompt.rows,
                "prompt_to_first_frame_ms_p50": row.prompt.best,
                "prompt_to_first_frame_ms_p90": row.prompt.worst,
                "e2e_latency_rows": row.e2e.rows,
                "e2e_latency_ms_p50": row.e2e.best,
                "e2e_latency_ms_p90": row.e2e.worst,
                "output_fps_rows": row.fps.rows,
                "output_fps_p10": row.fps.worst,
                "output_fps_p50": row.fps.best,
            }
        )
    hand.insert_rows("fact_workflow_sessions_versions", sessions)
    hand.insert_rows("agg_session_performance_1h_versions", hours, output_fps_avg_state=FPS_STATE)
    hand.insert_rows("fact_workflow_latency_samples_versions", latency)
    hand.insert_rows(BENCHMARKS, benchmarks)
    found = dict(hand.rows("SELECT toUInt32(model_id), sla_quality_score FROM $.v_api_sla_compliance"))
    expected = {number: row.score() for number, row in enumerate(given_rows)}
    assert found == {number: pytest.approx(score) for number, score in expected.items()}
    assert all(score is None or 0 <= score <= 100 for score in found.values())


@pytest.fixture
def benchmarks(hand: HandMade) -> Iterator[QualityBenchmarks]:
    yield QualityBenchmarks(FactDatabase(hand.client, hand.database))
    hand.clear(BENCHMARKS)


MADE = (
    "SELECT toString(toDate32(window_start)), pipeline, model_id, "
    "prompt_to_first_frame_rows, prompt_to_first_frame_ms_p50, prompt_to_first_frame_ms_p90, "
    "e2e_latency_rows, e2e_latency_ms_p50, e2e_latency_ms_p90, output_fps_rows, output_fps_p10, output_fps_p50 "
    "FROM $.agg_quality_benchmark_1d ORDER BY ALL"
)
NONE = (0, None, None)


def test_a_benchmark_row_is_the_average_of_an_hour_orchestrator_and_gpu_in_all_orgs(
    hand: HandMade, benchmarks: QualityBenchmarks
) -> None:
    for number, (at, org, gpu, prompt) in enumerate(
        [
            ("10:00:00", "", "GPU-1", 1000),
            ("10:59:59", "other", "GPU-1", 3000),
            ("10:00:00", "", "GPU-2", 4000),
            ("11:00:00", "", "GPU-1", 6000),
        ]
    ):
        hand.latency(f"s|{number}", at, org=org, gpu_id=gpu, prompt_to_first_frame_ms=prompt)
        hand.sample(at, f"s|{number}", org=org, gpu_id=gpu, output_fps=prompt / 100)
    hand.latency("of|nobody", orchestrator_address="", prompt_to_first_frame_ms=9000)
    hand.sample("12:00:00", pipeline="other", model_id=None, output_fps=5)
    hand.latency("next|day", "2090-01-09 00:00:00", e2e_latency_ms=8)
    hand.roll_up()
    assert benchmarks.refresh() == 2
    # The rows are 2000, 4000, 6000, and the 10 and 90 percent of three rows lie at the first and the last.
    assert hand.rows(MADE) == [
        (DAY, "live", "model", 3, 4000, 6000, *NONE, 3, 20, 40),
        (DAY, "other", "", *NONE, *NONE, 1, 5, 5),
        ("2090-01-09", "live", "model", *NONE, 1, 8, 8, *NONE),
    ]


def test_late_facts_make_the_benchmark_of_their_day_again(hand: HandMade, benchmarks: QualityBenchmarks) -> None:
    hand.latency("s|1", e2e_latency_ms=8)
    hand.latency("s|2", "2090-01-09 10:00:00", e2e_latency_ms=5)
    assert (benchmarks.refresh(), benchmarks.refresh()) == (2, 0)
    later = time.time_ns() // 1000
    hand.latency("s|3", "11:00:00", e2e_latency_ms=10, version=later)
    assert benchmarks.refresh() == 1
    assert [(row[6], row[8]) for row in hand.rows(MADE)] == [(2, 10), (1, 5)]
    for name in ("s|1", "s|3"):
        hand.latency(name, is_deleted=1, version=later + 1)
    assert benchmarks.refresh() == 1
    assert [row[:1] + row[6:8] for row in hand.rows(MADE)] == [("2090-01-09", 1, 5)]


def test_facts_that_were_written_while_the_benchmark_was_made_make_it_again(
    hand: HandMade, benchmarks: QualityBenchmarks
) -> None:
    hand.latency("s|1", e2e_latency_ms=8)
    read_at = time.time_ns() // 1000
    benchmarks.refresh()
    hand.latency("s|2", e2e_latency_ms=8, version=read_at)
    assert benchmarks.refresh() == 1


def test_a_day_without_benchmark_rows_is_looked_at_once(hand: HandMade, benchmarks: QualityBenchmarks) -> None:
    hand.latency("s|1")
    assert (benchmarks.refresh(), benchmarks.refresh()) == (1, 0)
    assert hand.rows(MADE) == []


def test_benchmarks_are_refreshed_every_ten_minutes(hand: HandMade, benchmarks: QualityBenchmarks) -> None:
    hand.latency("s|1", e2e_latency_ms=8)
    minute = 60_000_000
    for now, made in [(0, 0), (10 * minute - 1, 0), (10 * minute, 1)]:
        benchmarks.refresh_when_due(now)
        assert len(hand.rows(MADE)) == made
    hand.latency("s|2", "2090-01-09 10:00:00", e2e_latency_ms=5)
    for now, made in [(20 * minute - 1, 1), (20 * minute, 2)]:
        benchmarks.refresh_when_due(now)
        assert len(hand.rows(MADE)) == made


def test_a_day_is_measured_by_the_seven_full_days_before_it(hand: HandMade) -> None:
    for day, rows, p50 in [
        ("2090-01-01", 30, 10),
        ("2090-01-07", 10, 50),
        ("2090-01-08", 90, 70),
        ("2089-12-31", 1, 0),
    ]:
        hand.benchmark(day, output_fps_rows=rows, output_fps_p50=p50, output_fps_p10=1)
    hand.benchmark("2090-01-02", e2e_latency_rows=2, e2e_latency_ms_p50=6, e2e_latency_ms_p90=7)
    hand.benchmark("2090-01-02", model_id="other", output_fps_rows=9, output_fps_p50=9, output_fps_p10=9)
    measured = hand.rows(
        "SELECT prompt_to_first_frame_rows, prompt_to_first_frame_ms_p90, e2e_latency_rows, e2e_latency_ms_p50, "
        "e2e_latency_ms_p90, output_fps_rows, output_fps_p10, output_fps_p50 FROM $.v_quality_benchmark "
        f"WHERE day_start = toDateTime64('{DAY}', 3, 'UTC') AND model_id = 'model'"
    )
    assert measured == [(0, None, 2, 6, 7, 40, 1, 20)]


def made(store: StoredEvents) -> list[tuple[Any, ...]]:
    return store.query("SELECT * EXCEPT (ingestion_timestamp, version) FROM $.agg_quality_benchmark_1d ORDER BY ALL")


@pytest.mark.slow
def test_live_benchmarks_are_those_of_a_rebuild(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass makes them if the time has come, the end of ingestion in any case."""
    monkeypatch.setattr("lpa_sinks.materialize.quality_benchmarks._INTERVAL_US", 0)
    records = network()
    half = len(records) // 2
    store = new_store()
    materializer = store.materializer()
    materializer.update([store.store(records[:half], batch_time=4_000_000_000_000)])
    assert made(store) == [], "the first pass of a process waits"
    materializer.update([store.store(records[half:], half, 4_000_000_000_001)])
    live = made(store)
    assert live
    for make in (materializer.finish, store.rebuild):
        store.client.command(f"TRUNCATE TABLE {store.name}.{BENCHMARKS} SYNC")
        make()
        assert made(store) == live
