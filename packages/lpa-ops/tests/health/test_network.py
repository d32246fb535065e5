"""Checks of the network: demand that nobody serves or that collapses, and what is missing.

The numbers are those of docs/spec/producers.md section 7.
"""

from __future__ import annotations

import pytest

from lpa_core.health.check import Finding, HealthCheck
from lpa_core.metrics import Metrics
from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import demand_collapse, health_signal_coverage, sample_attribution, unserved_demand
from lpa_ops.testing.checked_database import CheckedDatabase


def _hour_start(day: CheckedDatabase) -> str:
    return f"toStartOfHour(fromUnixTimestamp64Milli({day.now_ms}, 'UTC'))"


def store(day: CheckedDatabase, sessions: int, hours_ago: int = 1, **changed: str) -> None:
    """Known sessions that started in a full hour before now, clean unless ``changed``: column -> expression."""
    start = f"{_hour_start(day)} + INTERVAL {59 - 60 * hours_ago} MINUTE"
    columns = {
        "gateway": "'gateway'",
        "pipeline": "'live'",
        "model_id": "'model'",
        "orchestrator_address": "'0xa'",
        "session_start_ts": start,
        "known_stream": "1",
        "startup_success": "1",
        "health_signal_count": "3",
        "health_expected_signal_count": "3",
        "version": "1",
        **changed,
    }
    columns["workflow_session_id"] = f"toString(cityHash64(number, {', '.join(columns.values())}))"
    day.run(
        f"INSERT INTO day.fact_workflow_sessions_versions ({', '.join(columns)}) "
        f"SELECT {', '.join(columns.values())} FROM numbers({sessions})"
    )


UNSERVED = {"orchestrator_address": "''", "pipeline": "''", "startup_success": "0", "startup_excused": "1"}


def found(day: CheckedDatabase, check: HealthCheck) -> Finding:
    return day(check).finding


def figures(finding: Finding) -> dict[tuple[str, ...], float]:
    return {(each.name, *filter(None, (each.gateway, each.pipeline))): each.value for each in finding.figures}


def test_sessions_that_fail_or_that_nobody_serves(bare: CheckedDatabase) -> None:
    store(bare, 30)
    store(bare, 10, startup_unexcused="1", startup_success="0")
    store(bare, 10, **UNSERVED)
    store(bare, 60, gateway="'other'")
    store(bare, 40, zero_output_fps_session="1", startup_success="0", gateway="'small'")
    store(bare, 99, known_stream="0", loading_only_session="1")
    store(bare, 99, hours_ago=2, loading_only_session="1")
    store(bare, 99, hours_ago=0, loading_only_session="1")
    well = found(bare, unserved_demand.CHECK)
    assert (well.state, well.value, well.action) == (State.OK, 0, "")  # 20 of 50 are 40 percent, and small is too small
    assert figures(well) == {
        ("requested", "gateway", "live"): 50,
        ("failed", "gateway", "live"): 20,
        ("requested", "other", "live"): 60,
        ("failed", "other", "live"): 0,
        ("requested", "small", "live"): 40,
        ("failed", "small", "live"): 40,
    }
    store(bare, 1, loading_only_session="1")
    failing = found(bare, unserved_demand.CHECK)
    assert (failing.state, failing.value) == (State.WARNING, 1)
    assert failing.detail.endswith("live of gateway: 21 of 51 sessions failed or were not served")
    assert failing.action


def test_a_pipeline_that_is_not_known_is_that_of_the_other_sessions_of_the_model(bare: CheckedDatabase) -> None:
    store(bare, 30)
    store(bare, 30, **UNSERVED)
    store(bare, 30, **UNSERVED, model_id="'model of two'")
    store(bare, 1, model_id="'model of two'")
    store(bare, 1, model_id="'model of two'", pipeline="'other'")
    requested = {
        key[1:]: value for key, value in figures(found(bare, unserved_demand.CHECK)).items() if key[0] == "requested"
    }
    assert requested == {("gateway", "live"): 61, ("gateway",): 30, ("gateway", "other"): 1}


@pytest.mark.parametrize(("last", "state"), [(10, State.OK), (9, State.WARNING), (0, State.WARNING)])
def test_demand_collapses_when_an_hour_has_less_than_a_fifth_of_the_median(
    bare: CheckedDatabase, last: int, state: State
) -> None:
    # Hours without a session count: the median of 12 of none and 12 of 100 is 50.
    odd_hours = f"{_hour_start(bare)} - toIntervalHour(3 + 2 * intDiv(number, 100))"
    store(bare, 12 * 100, session_start_ts=odd_hours)
    store(bare, 500, hours_ago=26)
    store(bare, 20, hours_ago=3, pipeline="'rare'")
    store(bare, last)
    finding = found(bare, demand_collapse.CHECK)
    assert finding.state is state
    assert figures(finding)["requested", "live"] == last
    assert figures(finding)["median", "live"] == 50


@pytest.mark.parametrize(("last", "state"), [(4, State.OK), (3, State.WARNING), (0, State.WARNING)])
def test_demand_for_jobs_collapses_from_a_median_of_20_on(bare: CheckedDatabase, last: int, state: State) -> None:
    for hours, jobs, pipeline, capability in (
        ("2 + number % 24", 24 * 20, "", "chat"),
        ("2 + number % 24", 24 * 19, "upscale", ""),
        ("1", last, "", "chat"),
        ("0", 99, "", "chat"),
    ):
        at = f"{_hour_start(bare)} - toIntervalHour({hours}) + INTERVAL 59 MINUTE"
        bare.run(
            "INSERT INTO day.fact_jobs_versions (job_id, pipeline, capability, received_at, completed_at, version) "
            f"SELECT '{hours} {pipeline} ' || toString(number), '{pipeline}', '{capability}', "
            f"if(number % 2, {at}, NULL), {at}, 1 FROM numbers({jobs})"
        )
    finding = found(bare, demand_collapse.CHECK)
    assert (finding.state, finding.value) == (state, int(state is State.WARNING))
    assert figures(finding) == {
        ("jobs", "chat"): last,
        ("jobs_median", "chat"): 20,
        ("jobs", "upscale"): 0,
        ("jobs_median", "upscale"): 19,
    }


def test_health_signals_that_are_missing(bare: CheckedDatabase) -> None:
    store(bare, 30)
    store(bare, 20, health_signal_count="0", gateway="'other'")
    store(bare, 30, health_signal_count="0", pipeline="'small'")
    well = found(bare, health_signal_coverage.CHECK)
    assert (well.state, well.value) == (State.OK, 0)
    assert figures(well)["signals", "live"] == 90
    assert figures(well)["expected", "live"] == 150
    store(bare, 1, health_signal_count="0")
    missing = found(bare, health_signal_coverage.CHECK)
    assert missing.state is State.WARNING
    assert missing.detail.endswith("live: 90 of 153 signals of 51 sessions")


@pytest.mark.parametrize("check", [unserved_demand.CHECK, demand_collapse.CHECK, health_signal_coverage.CHECK])
def test_too_few_sessions_are_not_judged(bare: CheckedDatabase, check: HealthCheck) -> None:
    assert found(bare, check).state is State.NOT_APPLICABLE
    store(bare, 49, loading_only_session="1", health_signal_count="0")
    store(bare, 49, hours_ago=2)
    assert found(bare, check).state is State.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("attributed", "others", "state"),
    [(375, 125, State.OK), (375, 126, State.WARNING), (0, 499, State.NOT_APPLICABLE)],
)
def test_samples_of_the_last_hour_that_are_not_attributed(
    bare: CheckedDatabase, attributed: int, others: int, state: State
) -> None:
    for rows, is_attributed, minutes in ((attributed, 1, 59), (others, 0, 1), (999, 0, 61), (999, 0, -1)):
        bare.run(
            "INSERT INTO day.fact_stream_status_samples_versions (sample_ts, source_event_uid, is_attributed, version) "
            f"SELECT fromUnixTimestamp64Milli({bare.now_ms}, 'UTC') - INTERVAL {minutes} MINUTE, "
            f"'{is_attributed} {minutes} ' || toString(number), {is_attributed}, 1 FROM numbers({rows})"
        )
    finding = found(bare, sample_attribution.CHECK)
    assert finding.state is state
    if state is not State.NOT_APPLICABLE:
        assert figures(finding) == {("samples",): attributed + others, ("attributed",): attributed}


def test_figures_are_metrics_as_long_as_they_are_found(bare: CheckedDatabase) -> None:
    metrics = Metrics()

    def shown() -> dict[tuple[str, ...], float]:
        metrics.health([bare(unserved_demand.CHECK)])
        (family,) = metrics.health_check_figure.collect()
        return {(each.labels["figure"], each.labels["gateway"]): each.value for each in family.samples}

    store(bare, 60)
    assert shown() == {("requested", "gateway"): 60, ("failed", "gateway"): 0}
    bare.run("TRUNCATE TABLE day.fact_workflow_sessions_versions")
    store(bare, 50, gateway="'other'")
    assert shown() == {("requested", "other"): 50, ("failed", "other"): 0}


def test_so_many_gateways_have_figures_those_that_ask_for_most(bare: CheckedDatabase) -> None:
    store(bare, 101 * 3, gateway="toString(number % 101)")
    store(bare, 50, gateway="'busy'")
    finding = found(bare, unserved_demand.CHECK)
    gateways = {each.gateway for each in finding.figures}
    assert len(gateways) == 100
    assert "busy" in gateways
