"""What lpa-sinks brings to ``lpa``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cyclopts

from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.plugins.context import AppContext
from lpa_core.plugins.hookspecs import ArchiveFactory, SinkFactory, hookimpl
from lpa_core.settings.settings import Settings
from lpa_core.sinks.archive import Archive
from lpa_core.sinks.sink import Sink


@hookimpl
def lpa_sinks() -> Mapping[str, SinkFactory]:
    return dict.fromkeys(("chdb", "clickhouse", "http", "https"), _clickhouse)


@hookimpl
def lpa_archives() -> Mapping[str, ArchiveFactory]:
    return dict.fromkeys(("file", "s3", "gs", "az"), _archive)


@hookimpl
def lpa_start_checks(start: PlannedStart) -> Sequence[StartCheck]:
    from lpa_sinks.start_checks import start_checks

    return start_checks(start)


@hookimpl
def lpa_cli_commands(context: AppContext) -> Sequence[cyclopts.App]:
    from lpa_sinks.commands.archive import archive_app
    from lpa_sinks.commands.check import check_app
    from lpa_sinks.commands.materialize import materialize_app
    from lpa_sinks.commands.query import query_app
    from lpa_sinks.commands.schema import schema_app

    return (
        schema_app(context),
        materialize_app(context),
        check_app(context),
        archive_app(context),
        query_app(context),
    )


def _clickhouse(uri: str, settings: Settings) -> Sink:
    from lpa_sinks.clickhouse.database import endpoint_of
    from lpa_sinks.clickhouse.retries import RetryPolicy
    from lpa_sinks.sink.sink import ClickHouseSink

    retry = RetryPolicy(seconds=settings.clickhouse.sink_retry_seconds or None)
    return ClickHouseSink(
        endpoint_of(uri, settings), settings.clickhouse.password, retry, settings.clickhouse.sink_timeout_seconds
    )


def _archive(uri: str, spool: Path, settings: Settings) -> Archive:
    from lpa_sinks.archive import FileArchive

    return FileArchive(
        uri,
        spool,
        max_bytes=settings.lpa.archive_max_bytes,
        max_age_ms=settings.lpa.archive_max_seconds * 1000,
    )
