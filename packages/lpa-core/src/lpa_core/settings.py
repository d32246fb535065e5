"""Settings: from ``lpa.toml`` and the environment, checked before anything is touched.

``QUALITY_DEDUP_TTL_MINUTES`` in the environment is ``dedup_ttl_minutes`` under ``[quality]`` in ``lpa.toml``. The
environment wins over the file; an empty variable counts as not set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import attrs
import typed_settings
from attrs import validators
from typed_settings.exceptions import InvalidSettingsError, TsError
from typed_settings.loaders import DictLoader, FileLoader, TomlFormat

SETTINGS_FILE: Final = "lpa.toml"


class SettingsError(Exception):
    """A setting cannot be used. The message names it, its value and what would be accepted, a line each."""


def _option(default: Any, accepts: str, doc: str, *checks: Any) -> Any:
    return attrs.field(default=default, validator=list(checks) or None, metadata={"accepts": accepts, "doc": doc})


_WHOLE: Final = "a whole number of at least 1"
_POSITIVE: Final = validators.ge(1)


@final
@attrs.frozen
class QualitySettings:
    """What is let in (``QUALITY_*``)."""

    kafka_bootstrap: str = _option("kafka:9092", "host:port, comma separated", "Kafka bootstrap servers")
    input_topic: str = _option("streaming_events", "a topic name", "Topic that events are read from")
    dedup_ttl_minutes: int = _option(
        1440, _WHOLE, "Minutes for which a dedup key stays claimed, from its first sight", _POSITIVE
    )
    supported_versions: tuple[str, ...] = _option(
        ("1", "v1"), "versions, comma separated; `any` lets all pass", "Event versions that are accepted"
    )


@final
@attrs.frozen
class ClickHouseSettings:
    """Where and how rows are written (``CLICKHOUSE_*``)."""

    url: str = _option("http://clickhouse:8123", "an http or https URL", "ClickHouse's HTTP endpoint")
    database: str = _option(
        "livepeer_analytics",
        "letters, digits and underscores",
        "Database of all tables",
        validators.matches_re(r"[A-Za-z_][A-Za-z0-9_]*"),
    )
    user: str = _option("analytics_user", "a user name", "ClickHouse user; a user in the sink's URI wins")
    password: str = attrs.field(
        default="",
        repr=False,
        metadata={"accepts": "any text", "doc": "ClickHouse password; never shown, never logged", "secret": True},
    )
    sink_max_batch_size: int = _option(20_000, _WHOLE, "Records after which a range is written", _POSITIVE)
    sink_max_batch_bytes: int = _option(
        32_000_000, _WHOLE, "Bytes of records after which a range is written", _POSITIVE
    )
    sink_max_record_bytes: int = _option(
        1_000_000, "a whole number of at least 10000", "Largest row, in bytes of its JSON text", validators.ge(10_000)
    )
    sink_retry_seconds: int = _option(
        0, "a whole number of seconds, 0 for ever", "How long a sink that is down is tried again", validators.ge(0)
    )


@final
@attrs.frozen
class ProcessSettings:
    """The process itself (``LPA_*``)."""

    data_dir: Path = _option(
        Path("lpa-data"), "a folder", "Holds the embedded database, dedup claims, checkpoints and the archive's spool"
    )
    plugins_disabled: tuple[str, ...] = _option((), "plugin names, comma separated", "Plugins that are not loaded")
    plugins_required: tuple[str, ...] = _option(
        (), "plugin names, comma separated", "Plugins without which the process does not start"
    )
    archive_max_bytes: int = _option(134_217_728, _WHOLE, "Compressed bytes at which an archive file closes", _POSITIVE)
    archive_max_seconds: int = _option(900, _WHOLE, "Age at which an archive file closes", _POSITIVE)
    log_format: str = _option(
        "auto",
        "auto, console or json",
        "Log lines for people or for machines; auto: for people on a terminal",
        validators.in_(("auto", "console", "json")),
    )
    log_level: str = _option(
        "info",
        "debug, info, warning or error",
        "Least severity that is logged",
        validators.in_(("debug", "info", "warning", "error")),
    )


@final
@attrs.frozen
class Settings:
    quality: QualitySettings = attrs.field(factory=QualitySettings)
    clickhouse: ClickHouseSettings = attrs.field(factory=ClickHouseSettings)
    lpa: ProcessSettings = attrs.field(factory=ProcessSettings)


class Setting(NamedTuple):
    """One setting, for documentation and messages. ``default`` is as one would write it."""

    variable: str
    option: str
    default: str
    accepts: str
    doc: str


def described() -> Iterator[Setting]:
    """Every setting there is."""
    for group in attrs.fields(Settings):
        for field in attrs.fields(group.default.factory):  # type: ignore[union-attr]  # each group has a factory
            default = ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)
            yield Setting(
                variable=f"{group.name}_{field.name}".upper(),
                option=f"{group.name}.{field.name}",
                default=default,
                accepts=field.metadata["accepts"],
                doc=field.metadata["doc"],
            )


def load(environment: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """The settings in force.

    Args:
        environment: by default the process's.
        file: by default ``lpa.toml`` in the working folder, if there is one.

    Raises SettingsError naming every setting that is wrong.
    """
    environment = os.environ if environment is None else environment
    if file is not None and not file.is_file():
        raise SettingsError(f"{file}: there is no such settings file")
    found = file or Path(SETTINGS_FILE)
    try:
        return typed_settings.load_settings(
            Settings,
            [
                FileLoader({"*.toml": TomlFormat(None)}, [found]),
                DictLoader(_from_environment(environment)),
            ],
        )
    except InvalidSettingsError as errors:
        raise SettingsError(_explain(errors, environment, found)) from None
    except TsError as error:
        raise SettingsError(f"{found}: {error}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for setting in described():
        text = environment.get(setting.variable, "").strip()
        if text:
            group, name = setting.option.split(".")
            several = isinstance(attrs.fields_dict(_group(group))[name].default, tuple)
            values.setdefault(group, {})[name] = [part.strip() for part in text.split(",")] if several else text
    return values


def _group(name: str) -> type[attrs.AttrsInstance]:
    factory: type[attrs.AttrsInstance] = attrs.fields_dict(Settings)[name].default.factory  # type: ignore[union-attr]
    return factory


def _explain(errors: InvalidSettingsError, environment: Mapping[str, str], file: Path) -> str:
    text = "\n".join(str(error) for error in errors.exceptions)
    lines = []
    for setting in described():
        if f"'{setting.option}'" in text:
            value = environment.get(setting.variable, "")
            shown = "" if setting.variable.endswith("PASSWORD") else f"={value!r}"
            where = f"{setting.variable}{shown}" if value else f"{setting.option} in {file}"
            lines.append(f"{where}: expected {setting.accepts}")
    return "\n".join(lines) or text
