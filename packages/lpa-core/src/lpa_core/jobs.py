"""What to ingest, where to, and by which rules: the same for every source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs

from lpa_core.events.times import MOST_AHEAD_MS
from lpa_core.lifecycle.pipeline_model import PipelineModelMode
from lpa_core.lifecycle.rules import FoldRules
from lpa_core.pipeline import Pipeline
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings import Settings


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
    """Derive facts beside the ingestion, where nobody else does."""

    def sinks_or_default(self, settings: Settings) -> Sequence[str]:
        """``clickhouse://`` alone stands for the address in the settings."""
        named = [settings.clickhouse.url if uri == "clickhouse://" else uri for uri in self.sinks]
        return named or (f"chdb://{settings.lpa.data_dir / 'clickhouse'}",)

    def dedup_or_default(self, settings: Settings) -> str:
        return self.dedup or f"rocksdb://{settings.lpa.data_dir / 'dedup'}"


def build_pipeline(plugins: PluginManager, settings: Settings, *, most_ahead_ms: int = MOST_AHEAD_MS) -> Pipeline:
    versions = settings.quality.supported_versions
    return Pipeline(
        plugins.event_types(),
        supported_versions=() if versions == ("any",) else versions,
        plugin_validators=plugins.validators(),
        classifiers=plugins.classifiers(),
        max_row_bytes=settings.clickhouse.sink_max_record_bytes,
        most_ahead_ms=most_ahead_ms,
    )


def fold_rules(plugins: PluginManager, settings: Settings) -> FoldRules:
    return FoldRules(plugins.attribution_policy(), PipelineModelMode(settings.lifecycle.pipeline_model_mode))
