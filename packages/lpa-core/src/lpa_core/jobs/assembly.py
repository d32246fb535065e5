"""What to ingest, where to, and by which rules, and the parts of it that are the same for every source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import final

import attrs

from lpa_core.delivery.derivation import Derivation
from lpa_core.events.times import MOST_AHEAD_MS
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.lifecycle.pipeline_model import PipelineModelMode
from lpa_core.pipeline.masking import Masking
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_core.sinks.archive import Archive
from lpa_core.sinks.derived import Derived
from lpa_core.sinks.sink import Sink, SupportsDerivation
from lpa_core.tables.ignored import IgnoredStore, KeptOfIgnored
from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.validation.ignore_rules import BUILTIN_IGNORE_RULES, families


@final
@attrs.frozen
class Job:
    """What to ingest, and where to. None stands for the default: Kafka, or what is under the data folder."""

    source: str | None = None
    sinks: Sequence[str] = ()
    dedup: str | None = None
    archive: str | None = None
    from_savepoint: str | None = None
    """Where a savepoint is that the job goes on from; for Kafka."""
    facts: bool = True
    """Derive facts beside the ingestion, if nobody else does."""
    complete: bool = False
    """A last line without its end is a record; for files."""

    def sinks_or_default(self, settings: Settings) -> Sequence[str]:
        """``clickhouse://`` alone stands for the address in the settings."""
        named = [settings.clickhouse.url if uri == "clickhouse://" else uri for uri in self.sinks]
        return named or (settings.lpa.data.database_uri,)

    def dedup_or_default(self, settings: Settings) -> str:
        return self.dedup or settings.lpa.data.claims_uri


def build_pipeline(plugins: PluginManager, settings: Settings, *, most_ahead_ms: int = MOST_AHEAD_MS) -> Pipeline:
    versions = settings.quality.supported_versions
    return Pipeline(
        plugins.event_types(),
        supported_versions=() if versions == ("any",) else versions,
        plugin_validators=plugins.validators(),
        classifiers=plugins.classifiers(),
        ignore_rules=[*BUILTIN_IGNORE_RULES, *plugins.ignore_rules(), *families(settings.quality.ignored_types)],
        kept_of_ignored=KeptOfIgnored(
            IgnoredStore(settings.quality.ignored_store), archived=settings.quality.ignored_archive == "full"
        ),
        masking=Masking(settings.quality.masked_paths, settings.quality.mask_key),
        max_row_bytes=settings.clickhouse.sink_max_record_bytes,
        orgs=settings.quality.orgs,
        most_ahead_ms=most_ahead_ms,
    )


def fold_rules(plugins: PluginManager, settings: Settings) -> FoldRules:
    return FoldRules(plugins.attribution_policy(), PipelineModelMode(settings.lifecycle.pipeline_model_mode))


def open_sinks(sinks: Iterable[Sink], pipeline: Pipeline, opened: ExitStack) -> None:
    """Open each with every table that rows go into; what is open is closed with ``opened``."""
    for sink in sinks:
        opened.callback(sink.close)
        sink.open((*pipeline.tables, *INGESTED_TABLES))


def open_archive(job: Job, plugins: PluginManager, opened: ExitStack) -> Archive | None:
    if not job.archive:
        return None
    archive = plugins.archive(job.archive)
    opened.callback(archive.close)
    return archive


def start_derivation(
    sinks: Sequence[SupportsDerivation],
    rules: FoldRules,
    opened: ExitStack,
    count: Callable[[Derived, float], None] = lambda derived, seconds: None,
) -> Derivation:
    derivation = Derivation(sinks, rules, count)
    opened.callback(derivation.close)
    derivation.start()
    return derivation
