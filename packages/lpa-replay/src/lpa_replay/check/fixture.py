"""Runs a fixture through the pipeline into a database of its own, at a time that is always the same."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import attrs

from lpa_core.delivery.checkpoint import MemoryCheckpoint
from lpa_core.delivery.derivation import Derivation
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker
from lpa_core.events.model import MAX_EPOCH_MS
from lpa_core.jobs.assembly import build_pipeline, fold_rules
from lpa_core.plugins.manager import PluginManager
from lpa_core.replays import ReplayError, ReplayRefused
from lpa_core.settings.settings import Settings
from lpa_core.sinks.sink import SupportsDerivation
from lpa_core.sources.files import LineSource, open_snapshot
from lpa_core.sources.source import SourceError
from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_replay.check.layers import Dump, decoded, dumps
from lpa_replay.database import opened

_RECEIVED_MS: Final = 1_767_225_600_000
"""2026-01-01: when all records of every fixture were received."""
_MOST_AHEAD_MS: Final = MAX_EPOCH_MS - _RECEIVED_MS
"""No event is too late: nobody knows when a fixture's records were received."""
_TOPIC: Final = "fixture"
_AT_ONCE: Final = 1_000


def run_fixture(path: Path, settings: Settings, folder: Path, database: str) -> list[Dump]:
    """The layers of a fixture, in a database of this name in the embedded engine on ``folder``.

    Raises ReplayRefused if the fixture cannot be read, ReplayError where it breaks off, and what sinks raise.
    """
    settings = attrs.evolve(
        settings,
        clickhouse=attrs.evolve(settings.clickhouse, database=database),
        lpa=attrs.evolve(settings.lpa, data_dir=folder),
    )
    plugins = PluginManager(settings)
    pipeline = build_pipeline(plugins, settings, most_ahead_ms=_MOST_AHEAD_MS)
    uri = f"chdb://{folder / 'clickhouse'}"
    with ExitStack() as stack:
        found = stack.enter_context(opened(uri, settings, make=True))
        # Rows of old events would be gone at the first merge.
        found.run("stop merges", lambda: found.client.command("SYSTEM STOP MERGES"))
        sink = plugins.sink(uri)
        stack.callback(sink.close)
        sink.open((*pipeline.tables, *INGESTED_TABLES))
        derivation = Derivation([sink] if isinstance(sink, SupportsDerivation) else [], fold_rules(plugins, settings))
        with closing(derivation):
            derivation.start()
            dedup = stack.enter_context(closing(plugins.dedup_store("memory://")))
            worker = SourceWorker(
                stack.enter_context(closing(open_fixture(path))),
                pipeline,
                dedup,
                [sink],
                MemoryCheckpoint(),
                limits=SourceLimits(_AT_ONCE, settings.clickhouse.sink_max_batch_bytes),
                clock=lambda: _RECEIVED_MS,
                listener=derivation.step,
            )
            try:
                worker.run()
            except SourceError as error:
                raise ReplayError(str(error)) from None
        with closing(open_fixture(path)) as lines:
            verdicts = []
            while (batch := lines.read(_AT_ONCE, settings.clickhouse.sink_max_batch_bytes)) is not None:
                verdicts += pipeline.judge(batch, _RECEIVED_MS)
        return [decoded(verdicts), *dumps(found, pipeline.tables)]


def open_fixture(path: Path) -> LineSource:
    """Raises ReplayRefused if it cannot be read."""
    try:
        source = open_snapshot(path)
    except SourceError as error:
        raise ReplayRefused(str(error)) from None
    source.topic = _TOPIC
    return source
