"""Settings from ``lpa.toml`` and the environment, checked before anything is touched.

``QUALITY_DEDUP_TTL_MINUTES`` in the environment is ``dedup_ttl_minutes`` under ``[quality]`` in ``lpa.toml``. The
environment wins over the file; an empty variable counts as not set. ``[kafka]`` is a table of librdkafka's own names:
see lpa_core.settings.kafka.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import attrs
import typed_settings
from typed_settings.converters import TSConverter
from typed_settings.loaders import DictLoader

from lpa_core.errors import ConfigurationError
from lpa_core.settings import kafka as properties
from lpa_core.settings import plugin_options
from lpa_core.settings.plugin_options import PluginOptions
from lpa_core.settings.quality import QualitySettings
from lpa_core.settings.settings import Settings, fields
from lpa_core.settings.settings_file import SETTINGS_FILE, SettingsFile
from lpa_core.settings.shown_values import quoted
from lpa_core.settings.thresholds import Thresholds
from lpa_core.uris import AddressRefused

_OPTIONS: Final = {variable: f"{group}.{field.name}" for variable, group, field in fields()}
"""Variable -> the name in ``lpa.toml``."""


class SettingsError(ConfigurationError):
    """A setting cannot be used. The message names it, its value and what would be accepted, a line each."""


class Setting(NamedTuple):
    """One setting, for documentation and messages. ``default`` is as one would write it."""

    variable: str
    option: str
    default: str
    accepts: str
    doc: str
    secret: bool


class Refusal(NamedTuple):
    """Something that was given and cannot be used.

    ``option`` is its name in ``lpa.toml``, empty if it is not about one setting; ``path`` is of the file that says it,
    empty for the environment; ``text`` names it, its value and what would be accepted.
    """

    option: str
    path: Path | None
    text: str

    def __str__(self) -> str:
        return self.text if self.path is None else f"{self.path}: {self.text}"


def described() -> Iterator[Setting]:
    """Every setting there is."""
    for variable, group, field in fields():
        yield Setting(
            variable=variable,
            option=f"{group}.{field.name}",
            default=written(field.default),
            accepts=field.metadata["accepts"],
            doc=field.metadata["doc"],
            secret=field.metadata["secret"],
        )


def written(value: Any) -> str:
    """A setting's value as one would write it."""
    if isinstance(value, Thresholds):
        return f"{value.warning:g},{value.critical:g}"
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


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
    found = SettingsFile.read(file or Path(SETTINGS_FILE))
    wrong = [*refusals(environment, found)]
    if wrong:
        raise SettingsError(*wrong)
    return _settings(environment, found.table)


def usable(environment: Mapping[str, str], file: SettingsFile) -> Settings:
    """The settings that would be in force without those that are refused: for commands that say what is wrong."""
    refused = {refusal.option for refusal in refusals(environment, file)}
    table: dict[str, dict[str, Any]] = {
        group: {name: value for name, value in values.items() if f"{group}.{name}" not in refused}
        for group, values in file.table.items()
        if isinstance(values, Mapping) and group not in refused
    }
    kept = {variable: text for variable, text in environment.items() if _option(variable) not in refused}
    of_kafka = properties.merged(table.get("kafka", {}), {})
    table["kafka"] = {name: value for name, value in of_kafka.items() if f"kafka.{name}" not in refused}
    return _settings(kept, table)


def refusals(environment: Mapping[str, str], file: SettingsFile) -> Iterator[Refusal]:
    """Everything for which :func:`load` raises: values that cannot be used, and names that are not settings."""
    if file.problem:
        yield Refusal("", None, file.problem)
    unusable = [*_unusable(file, environment)]
    yield from unusable
    refused = {refusal.option for refusal in unusable}
    quality, own = _quality(file, environment, refused)
    yield from _not_read(file, quality, own)
    if quality.masked_paths and not quality.mask_key and "quality.mask_key" not in refused:
        yield Refusal(
            "quality.masked_paths",
            None if "masked_paths" in own else file.path,
            "QUALITY_MASKED_PATHS needs QUALITY_MASK_KEY: give it a secret of at least 16 characters, and keep it",
        )
    table = file.table.get("kafka", {})
    for name, in_file, text in properties.problems(table, environment):
        yield Refusal(f"kafka.{name}", file.path if in_file else None, text)
    for name, text in plugin_options.problems(file.table.get("plugins", {})):
        yield Refusal(name, file.path, text)
    yield from _unknown(file)


def _settings(environment: Mapping[str, str], table: Mapping[str, Any]) -> Settings:
    converter = TSConverter()
    # Thresholds are as the option's own converter made them.
    converter.scalar_converters[Thresholds] = lambda value, _: value
    converter.scalar_converters[PluginOptions] = lambda value, _: value
    merged: dict[str, Any] = {
        "kafka": properties.merged(table.get("kafka", {}), environment),
        "plugins": PluginOptions(table.get("plugins"), environment),
    }
    own = {group: values for group, values in table.items() if group not in merged}
    loaders = [DictLoader(own), DictLoader(_from_environment(environment)), DictLoader(merged)]
    return typed_settings.load_settings(Settings, loaders, converter=converter)


def _option(variable: str) -> str:
    """The name in ``lpa.toml`` of what a variable would set."""
    if variable.startswith(properties.PREFIX):
        return f"kafka.{properties.property_of(variable)}"
    return _OPTIONS.get(variable, variable)


def _from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for variable, group, field in fields():
        given = environment.get(variable, "")
        if given.strip():
            values.setdefault(group, {})[field.name] = given
    return values


def _unusable(file: SettingsFile, environment: Mapping[str, str]) -> Iterator[Refusal]:
    """A line for each setting whose value its converter turns down."""
    for variable, group, field in fields():
        option = f"{group}.{field.name}"
        given = environment.get(variable, "")
        table = file.table.get(group, {})
        if given.strip():
            value, path, name = given, None, f"{variable}="
        elif isinstance(table, Mapping) and field.name in table:
            value, path, name = table[field.name], file.path, f"{option} = "
        else:
            continue
        try:
            field.converter(value)  # type: ignore[misc, operator]  # every option has one
        except ValueError as error:
            why = f": {error.__cause__.reason}" if isinstance(error.__cause__, AddressRefused) else ""
            said = quoted(variable, value)
            yield Refusal(option, path, f"{name}{said}: expected {field.metadata['accepts']}{why}")


def _quality(
    file: SettingsFile, environment: Mapping[str, str], unusable: Collection[str]
) -> tuple[QualitySettings, Collection[str]]:
    """What would be in force of the group, and which of it the environment gives."""
    group = "quality"
    given, found = _from_environment(environment).get(group, {}), file.table.get(group, {})
    values = {**(found if isinstance(found, Mapping) else {}), **given}
    known = {field.name for field in attrs.fields(QualitySettings)}
    usable = {name: value for name, value in values.items() if name in known and f"{group}.{name}" not in unusable}
    return QualitySettings(**usable), given


def _not_read(file: SettingsFile, quality: QualitySettings, given: Collection[str]) -> Iterator[Refusal]:
    """A line for each map that names topics which are not read."""
    group = "quality"
    for name, pairs in (
        ("topic_org_map", quality.topic_org_map),
        ("topic_reset_strategy_map", quality.topic_reset_strategy_map),
    ):
        strange = [topic for topic, _, _ in (pair.partition("=") for pair in pairs) if topic not in quality.topics]
        if strange:
            in_file = name not in given
            said = f"{group}.{name}" if in_file else f"{group}_{name}".upper()
            yield Refusal(
                f"{group}.{name}",
                file.path if in_file else None,
                f"{said} names {', '.join(strange)}, and read {'is' if len(quality.topics) == 1 else 'are'} "
                f"{', '.join(quality.topics)}: add what is missing to QUALITY_INPUT_TOPICS, or leave it out of the map",
            )


def _unknown(file: SettingsFile) -> Iterator[Refusal]:
    """A line for each name in the file that is not a setting."""
    known = [setting.option for setting in described()]
    tables = [f"[{field.name}]" for field in attrs.fields(Settings)]
    for group, values in file.table.items():
        if group in ("kafka", "plugins"):
            continue
        if f"[{group}]" in tables and not isinstance(values, Mapping):
            yield Refusal(group, file.path, f"{group} = ...: expected a table of settings: [{group}]")
            continue
        names = [f"{group}.{name}" for name in values] if f"[{group}]" in tables else [group]
        for option in names:
            if option in known:
                continue
            near = difflib.get_close_matches(option, known, n=1)
            there = near or [name for name in known if name.startswith(f"{group}.")] or tables
            ask = "did you mean" if near else "there are"
            yield Refusal(option, file.path, f"{option} is not a setting; {ask} {', '.join(there)}")
