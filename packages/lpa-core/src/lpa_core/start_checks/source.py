"""What is read, if it is a file, and whether what was read before is still stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.health.check import Finding, NotApplicable
from lpa_core.jobs.file_job import require_nothing_read, require_written
from lpa_core.jobs.restoration import require_whole
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.thresholds import State
from lpa_core.sinks.sink import SupportsPresence
from lpa_core.uris import scheme, without_secrets


def checks(plugins: PluginManager) -> Sequence[StartCheck]:
    return (
        StartCheck("source", "What is read", partial(_source, plugins)),
        StartCheck("stored", "What was read before", partial(_stored, plugins)),
    )


def _source(plugins: PluginManager, start: PlannedStart) -> Finding:
    if start.source is None or scheme(start.source) == "kafka":
        quality = start.settings.quality
        if start.kafka:
            return Finding(State.OK, f"{_topics(quality.topics)} of {quality.kafka_bootstrap}")
        raise NotApplicable(
            f"without a file, `lpa ingest` would read {_topics(quality.topics)} of {quality.kafka_bootstrap}, "
            "which is the default: QUALITY_KAFKA_BOOTSTRAP names other brokers; for a file: `lpa doctor FILE`"
        )
    if start.source == "-":
        return Finding(State.OK, "standard input: it is not looked at, because it can be read only once")
    require_written(start.source, time.time_ns() // 1_000_000)
    source = plugins.source(start.source)
    try:
        return Finding(State.OK, f"{start.source} can be read, as {source.topic}")
    finally:
        source.close()


def _topics(names: Sequence[str]) -> str:
    return f"the topic{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _stored(plugins: PluginManager, start: PlannedStart) -> Finding:
    require_whole(map(without_secrets, start.sinks), start.settings)
    for uri in start.sinks:
        sink = plugins.sink(uri)
        if isinstance(sink, SupportsPresence) and not sink.is_there():
            require_nothing_read(uri, sink, start.settings)
        with suppress(Exception):
            sink.close()
    return Finding(State.OK, "no recovery is unfinished, and no database is gone that files were read into")
