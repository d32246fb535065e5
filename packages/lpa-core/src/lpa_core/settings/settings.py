"""Every setting there is, in groups: its default, what it accepts and what it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, final

import attrs

from lpa_core.data_folder import DataFolder
from lpa_core.settings.flink import FlinkSettings
from lpa_core.settings.health import HealthSettings
from lpa_core.settings.plugin_options import PluginOptions
from lpa_core.settings.quality import QualitySettings
from lpa_core.settings.values import (
    GROUP_NAME,
    TOPIC_NAME,
    WHOLE,
    address,
    brokers_or_none,
    days_by_environment,
    epoch_ms_or_none,
    file_or_none,
    folder,
    group_name,
    http_url,
    identifier,
    location_or_none,
    names,
    one_of,
    properties,
    secret_text,
    text,
    token,
    token_or_anybody,
    topic_name_or_none,
    whole,
)
from lpa_core.settings.values import option as _option
from lpa_core.uris import IDENTIFIER


@final
@attrs.frozen
class ClickHouseSettings:
    """Where and how rows are written (``CLICKHOUSE_*``)."""

    url: str = _option("http://clickhouse:8123", "an http or https URL", "ClickHouse's HTTP endpoint", http_url)
    database: str = _option(
        "livepeer_analytics",
        IDENTIFIER,
        "Database of all tables",
        identifier,
    )
    user: str = _option("analytics_user", "a user name", "ClickHouse user; a user in the sink's URI wins", text)
    password: str = _option("", "any text", "ClickHouse password; never shown, never logged", secret_text, secret=True)
    sink_max_batch_size: int = _option(
        30_000, f"{WHOLE}, at most 1000000000", "Records after which a range is written", whole(1, 1_000_000_000)
    )
    sink_max_batch_bytes: int = _option(32_000_000, WHOLE, "Bytes of records after which a range is written", whole(1))
    sink_max_time_ms: int = _option(
        1000,
        f"{WHOLE}, at most 86400000",
        "Milliseconds after which a range is written, full or not: a quarter of them if writing is "
        "quick, ten times as many under a backlog",
        whole(1, 86_400_000),
    )
    sink_max_record_bytes: int = _option(
        1_000_000, "a whole number of at least 10000", "Largest row, in bytes of its JSON text", whole(10_000)
    )
    sink_timeout_seconds: int = _option(
        60, f"{WHOLE}, at most 86400", "Seconds after which an insert counts as unanswered", whole(1, 86_400)
    )
    sink_retry_seconds: int = _option(
        0, "a whole number of seconds, 0 for ever", "How long a sink that is down is tried again", whole(0)
    )


_EPOCH_MS: Final = "epoch milliseconds (not seconds), such as 1767873600000"


@final
@attrs.frozen
class ReplaySettings:
    """What is replayed, and where to (``REPLAY_*``)."""

    kafka_bootstrap: str = _option(
        "", "host:port, comma separated", "Kafka bootstrap servers; default: QUALITY_KAFKA_BOOTSTRAP", brokers_or_none
    )
    dlq_topic: str = _option(
        "", TOPIC_NAME, "Topic that dead letters are read from; default: QUALITY_DLQ_TOPIC", topic_name_or_none
    )
    output_topic: str = _option(
        "",
        TOPIC_NAME,
        "Topic that events are sent to; default: QUALITY_INPUT_TOPIC, of several the one it came from",
        topic_name_or_none,
    )
    group_id: str = _option(
        "flink-dlq-replay-v1", GROUP_NAME, "Begins the name of each replay's own consumer group", group_name
    )
    start_epoch_ms: int | None = _option("", _EPOCH_MS, "First millisecond of the window", epoch_ms_or_none)
    end_epoch_ms: int | None = _option("", _EPOCH_MS, "The millisecond after the window's last", epoch_ms_or_none)


@final
@attrs.frozen
class LifecycleSettings:
    """How sessions are made out of events (``LIFECYCLE_*``)."""

    pipeline_model_mode: str = _option(
        "legacy_misnamed",
        "legacy_misnamed, native_correct or native",
        "What producers put into `data.pipeline`: the label of a model (legacy), or the pipeline",
        one_of("legacy_misnamed", "native_correct", "native"),
    )


@final
@attrs.frozen
class ProcessSettings:
    """The process itself (``LPA_*``)."""

    data_dir: Path = _option(
        Path("lpa-data"),
        "a folder",
        "Holds the embedded database, dedup claims, checkpoints and the archive's spool",
        folder,
    )
    plugins_disabled: tuple[str, ...] = _option(
        (), "plugin names, comma separated", "Plugins that are not loaded", names
    )
    plugins_required: tuple[str, ...] = _option(
        (), "plugin names, comma separated", "Plugins without which the process does not start", names
    )
    event_types: tuple[str, ...] = _option(
        (), "files, comma separated", "Files that declare event types, without Python", names
    )
    archive_max_bytes: int = _option(134_217_728, WHOLE, "Compressed bytes at which an archive file closes", whole(1))
    archive_max_seconds: int = _option(900, WHOLE, "Age at which an archive file closes", whole(1))
    archive_dir: str = _option(
        "",
        "a folder or the URL of an object store",
        "The archive that `lpa archive mirror` copies: where `lpa ingest --archive` keeps records",
        location_or_none,
    )
    mirror_dir: str = _option(
        "",
        "a folder or the URL of an object store",
        "Where `lpa archive mirror` copies the archive to",
        location_or_none,
    )
    progress_seconds: int = _option(
        90,
        "a whole number of seconds, at least 1, at most 86400",
        "How long records may wait while nothing is finished, before a job is not ready; a permission that Kafka takes "
        "away is waited for as long",
        whole(1, 86_400),
    )
    stop_seconds: int = _option(
        30,
        "a whole number of seconds, at least 1, at most 86400",
        "How long a worker may take to stop",
        whole(1, 86_400),
    )
    materialize_group_id: str = _option(
        "lpa-materialize-v1", GROUP_NAME, "Consumer group of all `lpa materialize`", group_name
    )
    savepoint_dir: str = _option(
        "",
        "a folder or the URL of an object store",
        "Where savepoints are kept; default: `savepoints` in the data folder",
        location_or_none,
    )
    environment: str = _option(
        "dev",
        "dev, staging or prod",
        "Which environment this is: how long its backups are kept depends on it",
        one_of("dev", "staging", "prod"),
    )
    backup_dir: str = _option(
        "",
        "a folder or an s3:// URL, which the database reaches too",
        "Where backups are kept; default: `backups` in the data folder",
        location_or_none,
    )
    backup_retention: tuple[str, ...] = _option(
        ("dev=7", "staging=30", "prod=90"),
        "days for each of dev, staging and prod, 36500 at most, comma separated, such as prod=90",
        "Days after which `lpa backup prune` removes a backup, by environment",
        days_by_environment,
    )
    admin_address: str = _option(
        "127.0.0.1:8081",
        "host:port, port 0 for any that is free",
        "Where a running job offers its metrics and its admin page",
        address,
    )
    admin_token: str = _option(
        "",
        "at least 16 letters, digits and -._~+/",
        "A client that sends it may stop the job over HTTP; without a token no client may; never shown, never logged",
        token,
        secret=True,
    )
    serve_address: str = _option(
        "127.0.0.1:8090",
        "host:port, port 0 for any that is free",
        "Where `lpa serve` offers the read API",
        address,
    )
    serve_token: str = _option(
        "",
        "at least 16 letters, digits and -._~+/, or anybody",
        "What a request to the read API has to send, or anybody if none is needed; without a value, only this machine "
        "may read; never shown, never logged",
        token_or_anybody,
        secret=True,
    )
    serve_seconds: int = _option(
        10,
        "a whole number of seconds, at least 1, at most 300",
        "How long the database may take for a request to the read API",
        whole(1, 300),
    )
    console_address: str = _option(
        "127.0.0.1:8091",
        "host:port, port 0 for any that is free",
        "Where `lpa console` offers its pages",
        address,
    )
    console_token: str = _option(
        "",
        "at least 16 letters, digits and -._~+/",
        "What a person enters to read the console; without a value, only this machine may read; never shown, never "
        "logged",
        token,
        secret=True,
    )
    console_hosts: tuple[str, ...] = _option(
        (),
        "names of hosts, comma separated",
        "Names under which browsers reach the console, beside localhost and addresses",
        names,
    )
    mcp_address: str = _option(
        "127.0.0.1:8093",
        "host:port of this machine, port 0 for any that is free",
        "Where `lpa mcp --http` offers its tools",
        address,
    )
    mcp_token: str = _option(
        "",
        "at least 16 letters, digits and -._~+/",
        "What an agent sends to `lpa mcp --http`, and what `lpa mcp --allow` needs; never shown, never logged",
        token,
        secret=True,
    )
    mcp_audit: Path | None = _option(
        "",
        "a file",
        "Where `lpa mcp` writes a line for each call; default: `mcp-audit.jsonl` in the data folder",
        file_or_none,
    )
    otlp: str = _option(
        "off",
        "off or on",
        "Whether a job on Kafka sends spans of ranges and metrics over OTLP, to where `OTEL_EXPORTER_OTLP_ENDPOINT` "
        "says",
        one_of("off", "on"),
    )
    log_format: str = _option(
        "auto",
        "auto, console or json",
        "Log lines for people or for machines; auto: for people on a terminal",
        one_of("auto", "console", "json"),
    )
    log_level: str = _option(
        "info",
        "debug, info, warning or error",
        "Least severity that is logged",
        one_of("debug", "info", "warning", "error"),
    )

    @property
    def data(self) -> DataFolder:
        """What is where in ``data_dir``."""
        return DataFolder(self.data_dir)


@final
@attrs.frozen
class Settings:
    quality: QualitySettings = attrs.field(factory=QualitySettings)
    clickhouse: ClickHouseSettings = attrs.field(factory=ClickHouseSettings)
    lifecycle: LifecycleSettings = attrs.field(factory=LifecycleSettings)
    replay: ReplaySettings = attrs.field(factory=ReplaySettings)
    lpa: ProcessSettings = attrs.field(factory=ProcessSettings)
    lpa_flink: FlinkSettings = attrs.field(factory=FlinkSettings)
    health: HealthSettings = attrs.field(factory=HealthSettings)
    kafka: Mapping[str, str] = attrs.field(factory=dict, converter=properties, repr=lambda names: str([*names]))
    """Properties for librdkafka, beside those that the delivery itself sets."""
    plugins: PluginOptions = attrs.field(factory=PluginOptions)
    """What plugins are handed."""


def fields() -> Iterator[tuple[str, str, attrs.Attribute[Any]]]:
    """The variable, the group and the field of every setting, Kafka's properties apart."""
    for group in attrs.fields(Settings):
        if group.name not in ("kafka", "plugins"):
            for field in attrs.fields(group.default.factory):  # type: ignore[union-attr]  # each group has a factory
                yield f"{group.name}_{field.name}".upper(), group.name, field
