"""The console over a day of events, as a browser sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from lpa_core.health.check import Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.report import HealthReport
from lpa_core.plugins.manager import PluginManager
from lpa_ops.console.access import Access
from lpa_ops.console.app import console_app
from lpa_ops.console.backups import KnownBackups
from lpa_ops.console.database import ConsoleDatabase
from lpa_ops.console.page import ConsoleSources
from lpa_ops.console.partitions import PartitionReport
from lpa_ops.console.query import QueryBox
from lpa_ops.console.replay_jobs import ReplayJobs
from lpa_ops.health.checks import attribution_coverage, consumer_lag, dlq_rate
from lpa_ops.testing.checked_database import HOUR_MS, CheckedDatabase
from lpa_ops.trace.gather import Surroundings
from lpa_replay.staging.trial import RepairTrial
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.readers import Readers

SECRET = b"of this run"
HERE = "http://127.0.0.1:8091"


@pytest.fixture(scope="session")
def day_health(day: CheckedDatabase) -> HealthReport:
    """Of a check that fails, one that is ok, and one that has nothing to judge."""
    scope = Scope(day.settings, day.now_ms, day.now_ms - 24 * HOUR_MS, day.sink, shared=True)
    checks = (attribution_coverage.CHECK, consumer_lag.CHECK, dlq_rate.CHECK)
    return HealthReport(CheckRunner(checks, day.settings, 600).run(scope))


@pytest.fixture(scope="module")
def sources(day: CheckedDatabase, day_health: HealthReport) -> Iterator[ConsoleSources]:
    readers = Readers(endpoint_of(day.sink, day.settings), "", 30)
    database = ConsoleDatabase(readers, day.settings.clickhouse.database, 30)
    backups = KnownBackups([(day.now_ms - HOUR_MS, "20260108T120000Z")])
    box = QueryBox(endpoint_of(day.sink, day.settings), "", 2)
    around = Surroundings(day.settings, day.sink)
    trial = RepairTrial(day.settings, PluginManager(day.settings))
    yield ConsoleSources(
        database=database,
        health=lambda: day_health,
        trends=dict,
        partitions=PartitionReport,
        backups=lambda: backups,
        surroundings=around,
        query=box.ask,
        repairs=trial,
        replays=ReplayJobs(day.settings.lpa.data.console_replays, day.settings.lpa.data.replays, day.sink),
    )
    readers.close()


@pytest.fixture(scope="module")
def opened(day: CheckedDatabase) -> Callable[..., TestClient]:
    """A browser at a console over some sources, as of the end of the day."""

    def client(sources: ConsoleSources, token: str = "") -> TestClient:
        async def no_pause(seconds: float) -> None: ...

        app = console_app(sources, Access(token, {"lpa.example.org"}, SECRET), lambda: day.now_ms, no_pause)
        return TestClient(app, HERE, raise_server_exceptions=False, follow_redirects=False)

    return client


@pytest.fixture(scope="module")
def browser(opened: Callable[..., TestClient], sources: ConsoleSources) -> TestClient:
    return opened(sources)
