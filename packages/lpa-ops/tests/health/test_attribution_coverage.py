"""Rows of the API views with a model are counted, and those of them that have a pipeline too."""

from __future__ import annotations

import pytest

from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import attribution_coverage
from lpa_ops.testing.checked_database import CheckedDatabase


def store(
    day: CheckedDatabase,
    gpus: int,
    pipeline: str,
    model: str = "model",
    hours_ago: int = 2,
    version: int = 1,
    deleted: int = 0,
) -> None:
    """Each of the GPUs has a row in both views."""
    day.run(
        "INSERT INTO day.agg_session_performance_1h_versions (window_start, workflow_session_id, "
        "orchestrator_address, pipeline, model_id, gpu_id, sample_count, version, is_deleted) "
        f"SELECT toStartOfHour(fromUnixTimestamp64Milli({day.now_ms}, 'UTC') - INTERVAL {hours_ago} HOUR), "
        f"'a|session', '0xa', '{pipeline}', nullIf('{model}', ''), concat('gpu-', toString(number)), 1, {version}, "
        f"{deleted} FROM numbers({gpus})"
    )


@pytest.mark.parametrize(("without", "state"), [(1, State.OK), (3, State.CRITICAL)])
def test_only_rows_of_the_window_with_a_model_count(bare: CheckedDatabase, without: int, state: State) -> None:
    store(bare, 5, "live")
    store(bare, 2, "live", hours_ago=24)
    store(bare, without, "")
    store(bare, 5, "", model="")
    store(bare, 5, "live", hours_ago=25)
    store(bare, 5, "", hours_ago=25)
    for version in (1, 2):
        store(bare, 5, "", model="gone", version=version, deleted=version - 1)
        store(bare, 5, "live", model="gone", version=version, deleted=version - 1)
    found = bare(attribution_coverage.CHECK, attribution_coverage="0.8,0.75").finding
    assert found.detail == f"14 of {2 * (7 + without)} rows with a model have a pipeline"
    assert (found.state, found.value) == (state, 7 / (7 + without))


def test_rows_without_a_model_are_not_judged(bare: CheckedDatabase) -> None:
    store(bare, 5, "live", model="")
    store(bare, 5, "live", hours_ago=25)
    assert bare(attribution_coverage.CHECK).finding.state is State.NOT_APPLICABLE
