"""The job: Java's operators and Python's stages, put together. Flink runs it as ``-pym lpa_flink.job``.

The only module that imports pyflink: the cluster brings it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Final

from lpa_core.errors import ConfigurationError, LpaError
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import committed_in_the_end
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load
from lpa_core.settings.settings import Settings
from lpa_flink.beginning import require_begun
from lpa_flink.identity import JobIdentity
from lpa_flink.java_clients import consumer_properties, producer_properties
from lpa_flink.stage_assembly import Opened, keys_stage, write_stage

MAX_PARALLELISM: Final = 128
"""As Topology.java has it: state is divided into so many groups for good."""
_RECORDS_OF_A_BATCH: Final = 500
"""A call of Python costs as much as some hundred records."""
_RECORDS_OF_A_RANGE: Final = 5_000
_BYTES_OF_A_RANGE: Final = 8 << 20
"""A range travels to Python in one piece, through memory that Flink counts."""

SETTINGS: Final[Mapping[str, str]] = {
    # A checkpoint of Flink is the step "prepare".
    "execution.checkpointing.mode": "EXACTLY_ONCE",
    # A barrier that overtook a range would restore it without its mark that some of it may be written.
    "execution.checkpointing.unaligned.enabled": "false",
    # While ClickHouse is away no barrier passes: that is waited for, and no reason to begin again.
    "execution.checkpointing.timeout": "1 h",
    "execution.checkpointing.tolerable-failed-checkpoints": "2147483647",
    # The newest checkpoint is what a job is restored from after its cluster was lost.
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    # Claims of a day do not fit into memory, and a checkpoint has to hold only what changed.
    "state.backend.type": "rocksdb",
    "execution.checkpointing.incremental": "true",
    # Every cause of a restart may pass: what cannot pass ends the job by itself.
    "restart-strategy.type": "exponential-delay",
    "restart-strategy.exponential-delay.initial-backoff": "1 s",
    "restart-strategy.exponential-delay.max-backoff": "1 min",
    "restart-strategy.exponential-delay.attempts-before-reset-backoff": "2147483647",
    # Threads of one Python process would share its interpreter, and do not keep to the time that state lives.
    "python.execution-mode": "process",
    # Of frames: each holds some hundred records.
    "python.fn-execution.bundle.size": "16",
    "python.fn-execution.bundle.time": "200",
}
"""What the job depends on, whatever the cluster is configured to."""


class FlinkJobError(ConfigurationError):
    """What the job manager has installed or set is not what the job was submitted with. One line, with the remedy."""


def main(arguments: Sequence[str]) -> None:
    """Put the job together and hand it to the cluster. Raises ConfigurationError, and what Kafka's client raises."""
    parser = argparse.ArgumentParser(prog="lpa_flink.job", description="The pipeline as a job on Apache Flink.")
    for name in ("version", "fingerprint"):
        parser.add_argument(f"--expect-{name}", default="", help=f"refuse to run with another {name}")
    expected = parser.parse_args(arguments)
    settings = load()
    require_expected(settings, expected.expect_version, expected.expect_fingerprint)
    if settings.quality.topics_from_their_end:
        require_begun(settings.quality, committed_in_the_end(admin_client(settings), settings))
    execute(settings, JobIdentity.of(settings, PluginManager(settings).plugins))


def require_expected(settings: Settings, expected_version: str, expected_fingerprint: str) -> None:
    """Raise FlinkJobError unless the job manager has this version and these rules. Empty: any will do."""
    if expected_version and expected_version != (found := version("lpa-flink")):
        raise FlinkJobError(
            f"the job manager has lpa-flink {found}, and the job was submitted by {expected_version}: "
            "install one version on both"
        )
    if expected_fingerprint:
        found = fingerprint(settings, PluginManager(settings).plugins)
        if found != expected_fingerprint:
            raise FlinkJobError(
                f"the job manager judges by rules {found}, and the job was submitted with {expected_fingerprint}: "
                "give both the same settings (QUALITY_*) and plugins"
            )


def execute(settings: Settings, identity: JobIdentity) -> None:
    """Hand the job to the cluster. It publishes who it is, which `lpa flink stop` notes."""
    from pyflink.common import Configuration, Types
    from pyflink.datastream import DataStream, StreamExecutionEnvironment
    from pyflink.java_gateway import get_gateway

    quality = settings.quality
    configuration = Configuration()
    for name, value in SETTINGS.items():
        configuration.set_string(name, value)
    environment = StreamExecutionEnvironment.get_execution_environment(configuration)
    environment.set_max_parallelism(MAX_PARALLELISM)
    environment.get_config().set_global_job_parameters(identity.parameters())
    java = get_gateway().jvm.com.livepeer.analytics.flink.Topology
    frames = Types.PRIMITIVE_ARRAY(Types.BYTE())

    records = java.records(
        environment._j_stream_execution_environment,
        [*quality.topics],
        quality.group_id,
        consumer_properties(settings),
        _RECORDS_OF_A_BATCH,
    )
    keys = Opened(partial(keys_stage, time.time_ns() // 1_000_000))
    judged = DataStream(records).flat_map(keys, frames).name("keys").uid("keys")
    ranges = java.ranges(
        judged._j_data_stream, quality.dedup_ttl_minutes * 60_000, _RECORDS_OF_A_RANGE, _BYTES_OF_A_RANGE
    )
    written = DataStream(ranges).flat_map(Opened(write_stage), frames).name("write").uid("write")
    java.publish(written._j_data_stream, f"{quality.group_id}-published", producer_properties(settings))
    environment.execute(identity.name)


def refuse(problem: LpaError) -> None:
    """Have Flink's REST say why there is no job: else it says only that a Python has ended."""
    from pyflink.java_gateway import get_gateway

    get_gateway().jvm.com.livepeer.analytics.pipeline.StreamingEventsToClickHouse.refuse(str(problem))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LpaError as refused:
        refuse(refused)
        sys.exit(refused.exit_status)
