"""Puts together what pages, and tools of agents, read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Final

from lpa_core.health.report import HealthReport
from lpa_core.plugins.context import AppContext
from lpa_ops.console.backups import known_backups
from lpa_ops.console.database import ConsoleDatabase
from lpa_ops.console.page import ConsoleSources
from lpa_ops.console.partitions import PartitionReport
from lpa_ops.console.query import QueryBox
from lpa_ops.console.replay_jobs import ReplayJobs
from lpa_ops.console.trends import Measured
from lpa_ops.trace.gather import Surroundings
from lpa_replay.staging.trial import RepairTrial
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.readers import Readers

STATEMENT_SECONDS: Final = 10
"""What a statement may take."""


@contextmanager
def opened_sources(
    context: AppContext,
    sink: str | None,
    *,
    health: Callable[[], HealthReport],
    trends: Callable[[], Mapping[str, Sequence[Measured]]],
    partitions: Callable[[], PartitionReport],
) -> Iterator[ConsoleSources]:
    """The sources of a database, by the settings. Raises SinkMisconfigured."""
    settings = context.settings
    found, password = endpoint_of(sink, settings), settings.clickhouse.password
    with closing(Readers(found, password, STATEMENT_SECONDS + 5)) as readers:
        yield ConsoleSources(
            database=ConsoleDatabase(readers, found.database, STATEMENT_SECONDS),
            health=health,
            trends=trends,
            partitions=partitions,
            backups=known_backups(settings, sink),
            surroundings=Surroundings(settings, sink, settings.lpa.archive_dir),
            query=QueryBox(found, password, STATEMENT_SECONDS).ask,
            repairs=RepairTrial(settings, context.plugins),
            replays=ReplayJobs(settings.lpa.data.console_replays, settings.lpa.data.replays, sink),
        )
