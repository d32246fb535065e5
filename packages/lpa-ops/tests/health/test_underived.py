"""Where materialize never ran, there is no newest fact or rollup to be behind: the wait itself is judged."""

from __future__ import annotations

import pytest

from lpa_core.health.check import HealthCheck
from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import input_to_fact_freshness, rollup_lag
from lpa_ops.testing.checked_database import CheckedDatabase


@pytest.mark.parametrize(
    ("check", "source", "said"),
    [
        (
            input_to_fact_freshness.CHECK,
            "ai_stream_status (stream_id, ingestion_timestamp) SELECT 'first'",
            "no facts although status events arrived, the first 90 minutes ago",
        ),
        (
            rollup_lag.CHECK,
            "fact_stream_status_samples_versions (stream_id, is_attributed, ingestion_timestamp) SELECT 'first', 1",
            "no rollup although attributed samples arrived, the first 90 minutes ago",
        ),
    ],
)
def test_what_nothing_was_ever_made_of_waits_since_the_first_of_it(
    bare: CheckedDatabase, check: HealthCheck, source: str, said: str
) -> None:
    for minutes in (1, 90):
        arrived = f"fromUnixTimestamp64Milli({bare.now_ms}, 'UTC') - INTERVAL {minutes} MINUTE"
        bare.run(f"INSERT INTO day.{source}, {arrived}")
    found = bare(check).finding
    assert (found.state, found.value, found.detail) == (State.CRITICAL, 90, said)
    assert "the worker that materializes" in found.action
