"""Makes days of sessions and jobs in a database, and rolls them up as lpa does."""

from __future__ import annotations

import time

from clickhouse_connect.driver.client import Client
from days.database import DATABASE, DAY
from days.jobs import JOBS
from days.sessions import CAPABILITIES, CLOSED, FACTS, PAYMENTS
from rich.console import Console
from rich.progress import track

from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.quality_benchmarks import QualityBenchmarks
from lpa_sinks.materialize.rollups import ChangedSamples, roll_up
from lpa_sinks.materialize.row_filter import SessionName

console = Console()


def fill(client: Client, today: int, days: int, sessions: int, samples: int, jobs: int = 0) -> None:
    """Make the days before ``today``, epoch seconds, and roll them up. ``sessions`` and ``jobs`` are those of a day."""
    seconds = 0.0
    database = FactDatabase(client, DATABASE)
    for number in track(range(days), "making days", console=console):
        day = today - (days - number) * DAY
        values = {"first": number * sessions, "day": day, "sessions": sessions, "samples": samples}
        for insert in [*FACTS, CLOSED, PAYMENTS, *CAPABILITIES]:
            client.command(insert, parameters=values)
        for insert in JOBS if jobs else ():
            client.command(insert, parameters={"first": number * jobs, "day": day, "jobs": jobs})
        began = time.perf_counter()
        changed = ChangedSamples()
        changed.add([day + minute * 60 for minute in range(25 * 60)], _sessions_of(client, day))
        roll_up(database, changed)
        seconds += time.perf_counter() - began
    QualityBenchmarks(database).refresh()
    console.print(
        f"{days * sessions:,} sessions, {days * sessions * samples:,} samples, {days * jobs:,} jobs; "
        f"a day rolled up in {seconds / days:.2f} s"
    )


def _sessions_of(client: Client, day: int) -> list[SessionName]:
    samples = f"{DATABASE}.fact_stream_status_samples_versions"
    found = client.query(f"SELECT DISTINCT org, workflow_session_id FROM {samples} WHERE sample_ts >= {day}")
    return [SessionName(*each) for each in found.result_rows]
