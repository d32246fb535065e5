"""Settings from ``lpa.toml`` and the environment, checked before anything is touched.

``QUALITY_DEDUP_TTL_MINUTES`` in the environment is ``dedup_ttl_minutes`` under ``[quality]`` in ``lpa.toml``. The
environment wins over the file; an empty variable counts as not set. ``[kafka]`` is a table of librdkafka's own names:
see lpa_core.settings.kafka.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import attrs
import typed_settings
from typed_settings.converters import TSConverter
from typed_settings.exceptions import InvalidOptionsError, TsError
from typed_settings.loaders import DictLoader, FileLoader, TomlFormat

from lpa_core.errors import ConfigurationError
from lpa_core.settings import kafka as properties
from lpa_core.settings.settings import Settings, fields
from lpa_core.settings.shown import quoted
from lpa_core.settings.thresholds import Thresholds

SETTINGS_FILE: Final = "lpa.toml"


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


def described() -> Iterator[Setting]:
    """Every setting there is."""
    for variable, group, field in fields():
        default = ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)
        yield Setting(
            variable=variable,
            option=f"{group}.{field.name}",
            default=default,
            accepts=field.metadata["accepts"],
            doc=field.metadata["doc"],
            secret=field.metadata["secret"],
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

    def check(settings_dict: dict[str, Any], settings_cls: type, options: object) -> dict[str, Any]:
        table = settings_dict["kafka"]
        wrong = [*_problems(settings_dict, environment, found), *properties.problems(table, environment, found)]
        if wrong:
            raise SettingsError("\n".join(wrong))
        settings_dict["kafka"] = properties.merged(table, environment)
        return settings_dict

    try:
        return typed_settings.load_settings(
            Settings,
            [
                DictLoader({"kafka": {}}),  # a processor can only change what a loader gave
                FileLoader({"*": TomlFormat(None)}, [found]),
                DictLoader(_from_environment(environment)),
            ],
            processors=[check],
            converter=_converter(),
        )
    except InvalidOptionsError as error:
        raise SettingsError(_unknown(error, found)) from None
    except (TsError, OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{found} cannot be read as TOML: {error}") from None


def _converter() -> TSConverter:
    """Leaves thresholds as the option's own converter made them."""
    converter = TSConverter()
    converter.scalar_converters[Thresholds] = lambda value, _: value
    return converter


def _from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for variable, group, field in fields():
        given = environment.get(variable, "")
        if given.strip():
            values.setdefault(group, {})[field.name] = given
    return values


def _problems(merged: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str], file: Path) -> Iterator[str]:
    """A line for each setting whose value its converter turns down."""
    from_environment = _from_environment(environment)
    for variable, group, field in fields():
        value = merged[group][field.name]
        try:
            field.converter(value)  # type: ignore[misc, operator]  # every option has one
        except ValueError:
            said = quoted(variable, value)
            if field.name in from_environment.get(group, {}):
                where = f"{variable}={said}"
            else:
                where = f"{file}: {group}.{field.name} = {said}"
            yield f"{where}: expected {field.metadata['accepts']}"


def _unknown(error: InvalidOptionsError, file: Path) -> str:
    known = [setting.option for setting in described()]
    tables = [f"[{field.name}]" for field in attrs.fields(Settings)]
    lines = []
    for option in str(error).rpartition(": ")[2].split(", "):
        group = option.partition(".")[0]
        near = difflib.get_close_matches(option, known, n=1)
        there = near or [name for name in known if name.startswith(f"{group}.")] or tables
        lines.append(f"{file}: {option} is not a setting; {'did you mean' if near else 'there are'} {', '.join(there)}")
    return "\n".join(lines)
