"""The main job, on whatever its source is: a file, standard input, a plugin's source, or Kafka."""

from __future__ import annotations

import time

from lpa_core.delivery.run_report import Report
from lpa_core.errors import UsageError
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.file_job import WatchSource, deliver, require_written, unwatched
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_core.sources.source import SupportsUnfinished
from lpa_core.uris import scheme


def ingest(job: Job, settings: Settings, plugins: PluginManager, watch: WatchSource = unwatched) -> Report:
    """Deliver everything the source has, or until SIGINT or SIGTERM, which let the range in work finish.

    Raises what assembling and delivering raise: PluginError, SourceError, SinkUnavailable, SinkMisconfigured,
    DedupStoreError, DedupStoreUnavailable, CheckpointError, ArchiveError.
    """
    if job.complete and (job.source is None or scheme(job.source) == "kafka"):
        raise UsageError("--complete is for a file: say which")
    if job.source is None or scheme(job.source) == "kafka":
        # Imported here: the client is an extra, and files can be ingested without it.
        from lpa_core.jobs.kafka_job import KafkaJob

        return KafkaJob(job, settings, plugins).run()
    require_written(job.source, time.time_ns() // 1_000_000)
    source = plugins.source(job.source)
    if job.complete and isinstance(source, SupportsUnfinished):
        source.take_unfinished()
    return deliver(source, job, settings, plugins, watch)
