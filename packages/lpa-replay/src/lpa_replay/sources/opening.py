"""Which source ``--from`` names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from lpa_core.delivery.consumer_group import BrokerError
from lpa_core.replays import ReplayRefused
from lpa_core.settings.settings import Settings
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE
from lpa_replay.database import ReplayDatabase
from lpa_replay.sources.archive import ArchiveSource
from lpa_replay.sources.file import FileSource
from lpa_replay.sources.kafka_settings import replay_settings
from lpa_replay.sources.record import Selection
from lpa_replay.sources.source import ReplaySource
from lpa_replay.sources.table import TableSource
from lpa_replay.sources.window import Clock

DLQ_TOPIC: Final = "dlq-topic"
TABLES: Final = {"dlq-table": ("dlq", DLQ_TABLE), "quarantine-table": ("quarantine", QUARANTINE_TABLE)}
ARCHIVE: Final = "archive"


def clock_of(source: str, *, up_to_now: bool) -> Clock:
    """The clock that a window over a source goes by if nobody says.

    ``up_to_now``: it is a span before now, which people mean as "what was rejected in the last hour". Records of a file
    have no time of rejection.
    """
    rejected = source in TABLES or source == DLQ_TOPIC
    return Clock.INGESTION if source == ARCHIVE or (rejected and up_to_now) else Clock.EVENT


def open_source(
    source: str,
    archive: str | None,
    selection: Selection,
    settings: Settings,
    connect: Callable[[], ReplayDatabase],
    bounds: Mapping[str, str] | None = None,
) -> ReplaySource:
    """Open a source, or open it again with the ``bounds`` that it had.

    Args:
        source: dlq-topic, dlq-table, quarantine-table, archive, or the path of a file.
        archive: where the archive is.
        connect: makes a connection of the source's own.

    Raises ReplayRefused, ReplayError, BrokerError, BrokerUnavailable, SinkMisconfigured, SinkUnavailable.
    """
    if selection.filters.where and source not in TABLES:
        raise ReplayRefused(f"--where is a condition over a table's columns: it cannot be used with --from {source}")
    if source in TABLES:
        name, table = TABLES[source]
        opened = TableSource(name, table, connect(), bounds)
        opened.check(selection.filters.where)
        return opened
    if source == DLQ_TOPIC:
        try:
            from lpa_replay.sources.topic import TopicSource

            return TopicSource(replay_settings(settings), bounds)
        except ImportError:
            raise BrokerError("Kafka's client is not installed: pip install 'lpa-core[kafka]'") from None
    if source == ARCHIVE:
        if archive is None:
            raise ReplayRefused("--from archive needs --archive: the folder or object store that holds it")
        return ArchiveSource(archive, selection.window, selection.clock, bounds)
    return FileSource(Path(source), bounds)
