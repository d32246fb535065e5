"""What stands still since before the window is red, though nothing in the window tells."""

from __future__ import annotations

import pytest

from lpa_core.health.check import HealthCheck
from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import input_to_fact_freshness, rollup_lag
from lpa_ops.testing.checked_database import CheckedDatabase, red

MADE_OF = {
    input_to_fact_freshness.CHECK: (
        "ai_stream_status (stream_id,",
        "fact_stream_status_samples_versions (stream_id,",
        "no facts although status events arrived",
    ),
    rollup_lag.CHECK: (
        "fact_stream_status_samples_versions (is_attributed,",
        "agg_stream_performance_1m_versions (gateway,",
        "no rollup although attributed samples arrived",
    ),
}


def insert(day: CheckedDatabase, into: str, hours_ago: int) -> None:
    moment = f"fromUnixTimestamp64Milli({day.now_ms}, 'UTC') - INTERVAL {hours_ago} HOUR"
    day.run(f"INSERT INTO day.{into} ingestion_timestamp) SELECT '1', {moment}")


@pytest.mark.parametrize("check", MADE_OF, ids=lambda check: check.name)
def test_failure_17_a_materializer_that_stands_still_is_red_where_the_window_has_no_event(
    check: HealthCheck, bare: CheckedDatabase
) -> None:
    source, made, said = MADE_OF[check]
    assert bare(check).finding.state is State.NOT_APPLICABLE
    insert(bare, source, 30)
    red(bare, check, State.CRITICAL, said)
    insert(bare, made, 33)
    red(bare, check, State.CRITICAL, "is 180 minutes behind")
    insert(bare, made, 30)
    assert bare(check).finding.state is State.NOT_APPLICABLE
    insert(bare, source, 24 * 9)
    assert bare(check).finding.state is State.NOT_APPLICABLE, "expired, maybe"
