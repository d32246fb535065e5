"""Rejects below their thresholds are reported once they are more than usual, and more than a few."""

from __future__ import annotations

import pytest

from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import dlq_rate
from lpa_ops.testing.checked_database import HOUR_MS, CheckedDatabase


def store(day: CheckedDatabase, rejects: int, records: int, days_ago: int) -> None:
    arrived = f"fromUnixTimestamp64Milli({day.now_ms - HOUR_MS}, 'UTC') - INTERVAL {days_ago} DAY"
    for table, rows in (("streaming_events_dlq", rejects), ("streaming_events", records - rejects)):
        day.run(
            f"INSERT INTO day.{table} (source_topic, ingestion_timestamp) SELECT 't', {arrived} FROM numbers({rows})"
        )


@pytest.mark.parametrize(
    ("rejects", "times_usual", "state"),
    [
        (20, 3, State.OK),
        (20, 1.5, State.WARNING),
        (40, 3, State.WARNING),
        (40, 5, State.OK),
    ],
)
def test_a_share_may_come_to_so_many_times_the_usual_one(
    bare: CheckedDatabase, rejects: int, times_usual: float, state: State
) -> None:
    store(bare, rejects=10, records=10_000, days_ago=2)
    store(bare, rejects=rejects, records=10_000, days_ago=0)
    assert bare(dlq_rate.CHECK, times_usual=times_usual).finding.state is state


@pytest.mark.parametrize(("rejects", "state"), [(9, State.OK), (10, State.WARNING)])
def test_a_few_rejects_are_never_more_than_usual(bare: CheckedDatabase, rejects: int, state: State) -> None:
    store(bare, rejects=0, records=10_000, days_ago=2)
    store(bare, rejects=rejects, records=10_000, days_ago=0)
    assert bare(dlq_rate.CHECK).finding.state is state
