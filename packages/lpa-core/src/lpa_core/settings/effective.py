"""What is in force: each setting with its value, where that came from, and what is wrong with what was given."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from types import NoneType
from typing import Any, Final, final

import attrs

from lpa_core.settings import kafka as properties
from lpa_core.settings import plugin_options as options
from lpa_core.settings.loading import Refusal, described, refusals, usable, written
from lpa_core.settings.settings import Settings
from lpa_core.settings.settings_file import SettingsFile, flat
from lpa_core.settings.shown_values import HIDDEN, PROPERTIES, is_shown, shown
from lpa_core.settings.thresholds import Thresholds

ENVIRONMENT: Final = "environment"
DEFAULT: Final = "default"

_ELSEWHERE: Final[Mapping[str, tuple[str, Callable[[Settings], object]]]] = {
    "REPLAY_KAFKA_BOOTSTRAP": ("QUALITY_KAFKA_BOOTSTRAP", lambda settings: settings.quality.kafka_bootstrap),
    "REPLAY_DLQ_TOPIC": ("QUALITY_DLQ_TOPIC", lambda settings: settings.quality.dlq_topic),
    "REPLAY_OUTPUT_TOPIC": ("QUALITY_INPUT_TOPICS", lambda settings: settings.quality.topics),
    "QUALITY_INPUT_TOPICS": ("QUALITY_INPUT_TOPIC", lambda settings: settings.quality.topics),
    "LPA_SAVEPOINT_DIR": ("LPA_DATA_DIR", lambda settings: settings.lpa.data.savepoints),
    "LPA_BACKUP_DIR": ("LPA_DATA_DIR", lambda settings: settings.lpa.data.backups),
}
"""A setting that another one stands in for if it is empty -> that one's variable, and the value."""

_UNITS: Final = ("bytes", "days", "gigabytes", "hours", "minutes", "ms", "records", "seconds", "share")
_TYPES: Final = {
    Thresholds: "two numbers",
    tuple: "list",
    Path: "folder",
    int: "whole number",
    float: "number",
    str: "text",
    NoneType: "whole number",
}


@final
@attrs.frozen
class EffectiveSetting:
    """A setting as it is now.

    Attributes:
        name: its variable in the environment; of a property of librdkafka in a file the property.
        value: as one would write it; ``***`` for a secret that is set.
        origin: ``environment``, a file with the line, ``default``, or the setting that stands in for it.
        type, unit: of the value; the unit is empty if it has none.
        problem: why the value is refused; empty if it is used.
    """

    name: str
    option: str
    value: str
    origin: str
    accepts: str
    doc: str
    default: str = ""
    type: str = "text"
    unit: str = ""
    secret: bool = False
    problem: str = ""

    given: bool = True
    """Whether somebody wrote it down, in the environment or the file."""

    @property
    def in_environment(self) -> bool:
        return self.origin == ENVIRONMENT

    @property
    def accepted(self) -> str:
        """What is accepted, and the unit if the words for it do not have it."""
        named = not self.unit or self.unit in self.accepts or self.unit == "share"
        return self.accepts if named else f"{self.accepts}; {self.unit}"


@final
@attrs.frozen
class UnknownName:
    """What looks like a setting and is none: it has no effect. ``nearest`` is empty if none is near."""

    name: str
    nearest: str
    place: str = f"in the {ENVIRONMENT}"

    @property
    def told(self) -> str:
        foreign = self.name.upper().startswith(("PLUGINS_", "PLUGINS."))
        what = "is of no plugin that is installed" if foreign else "is not a setting"
        meant = f"did you mean {self.nearest}" if self.nearest else "`lpa config --json` names all there are"
        return f"{self.name} {self.place} {what}, and has no effect; {meant}"


@final
@attrs.frozen
class Configuration:
    """Everything that was given, and what comes of it.

    Attributes:
        settings: all there are.
        kafka: properties for librdkafka that are passed through.
        plugins: options of plugins; lpa does not know which of them are secret, and shows no value.
        refused: each thing that a start refuses.
        unknown: variables that have no effect.
    """

    file: SettingsFile
    settings: tuple[EffectiveSetting, ...]
    kafka: tuple[EffectiveSetting, ...]
    refused: tuple[Refusal, ...]
    unknown: tuple[UnknownName, ...]
    plugins: tuple[EffectiveSetting, ...] = ()

    def told(self) -> list[str]:
        """A line for each refusal; one in the file with the line on which it is."""
        return [
            f"{self.file.place(refusal.option)}: {refusal.text}" if refusal.path else refusal.text
            for refusal in self.refused
        ]

    @classmethod
    def of(cls, environment: Mapping[str, str], file: SettingsFile) -> Configuration:
        refused = tuple(refusals(environment, file))
        problems = {refusal.option: refusal.text for refusal in refused}
        return cls(
            file,
            tuple(_effective(environment, file, problems)),
            tuple(_passed_through(environment, file, problems)),
            refused,
            tuple(_unknown(environment)),
        )


def _effective(
    environment: Mapping[str, str], file: SettingsFile, problems: Mapping[str, str]
) -> Iterator[EffectiveSetting]:
    in_force, defaults = usable(environment, file), Settings()
    for setting in described():
        given, origin = _given(environment, file, setting.variable, setting.option)
        problem, written_down = problems.get(setting.option, ""), origin != DEFAULT
        value = given if problem else attrgetter(setting.option)(in_force)
        if not written_down and value in ("", None, ()) and setting.variable in _ELSEWHERE:
            origin, stands_in = _ELSEWHERE[setting.variable]
            value = stands_in(in_force)
        unit = setting.option.rpartition("_")[2]
        yield EffectiveSetting(
            name=setting.variable,
            option=setting.option,
            value=shown(setting.variable, written(value)) if written(value) else "",
            origin=origin,
            accepts=setting.accepts,
            doc=setting.doc,
            default=setting.default,
            type=next(name for kind, name in _TYPES.items() if isinstance(attrgetter(setting.option)(defaults), kind)),
            unit=unit if unit in _UNITS else "",
            secret=setting.secret,
            problem=problem,
            given=written_down,
        )


def _given(environment: Mapping[str, str], file: SettingsFile, variable: str, option: str) -> tuple[Any, str]:
    """What was written, as it stands, and where."""
    if environment.get(variable, "").strip():
        return environment[variable], ENVIRONMENT
    group, _, name = option.partition(".")
    table = file.table.get(group, {})
    if isinstance(table, Mapping) and name in table:
        return table[name], file.place(option)
    return None, DEFAULT


def _passed_through(
    environment: Mapping[str, str], file: SettingsFile, problems: Mapping[str, str]
) -> Iterator[EffectiveSetting]:
    table = file.table.get("kafka", {})
    in_file = dict(flat(table)) if isinstance(table, Mapping) else {}
    variables = {properties.property_of(name): name for name in environment if name.startswith(properties.PREFIX)}
    for name, value in properties.merged(table, environment).items():
        from_file = name in in_file and not environment.get(variables.get(name, ""), "").strip()
        option = f"kafka.{name}"
        yield EffectiveSetting(
            name=name if from_file else variables[name],
            option=option,
            value=shown(name, str(value).lower() if isinstance(value, bool) else value),
            origin=file.place(option) if from_file else ENVIRONMENT,
            accepts="what librdkafka accepts",
            doc=f"librdkafka's {name}",
            secret=not is_shown(name, value),
            problem=problems.get(option, ""),
        )


def plugin_settings(in_force: Settings, file: SettingsFile, plugins: Sequence[str]) -> Iterator[EffectiveSetting]:
    """The options of each plugin."""
    for plugin in plugins:
        variables = {option: name for name, option in in_force.plugins.variables(plugin, tuple(plugins)).items()}
        for name in in_force.plugins.of(plugin, tuple(plugins)):
            option = f"plugins.{plugin}.{name}"
            yield EffectiveSetting(
                name=variables.get(name, option),
                option=option,
                value=HIDDEN,
                origin=ENVIRONMENT if name in variables else file.place(option),
                accepts=f"what the plugin {plugin} accepts",
                doc=f"An option of the plugin {plugin}",
                secret=True,
            )


def unknown_of_plugins(in_force: Settings, file: SettingsFile, plugins: Sequence[str]) -> Iterator[UnknownName]:
    """Options that are of no plugin that is installed."""
    for name in in_force.plugins.names:
        if name not in plugins:
            near = difflib.get_close_matches(name, plugins, n=1)
            place = f"in {file.place(f'plugins.{name}')}"
            yield UnknownName(f"plugins.{name}", f"plugins.{near[0]}" if near else "", place)
    spelt = [f"{options.PREFIX}{re.sub(r'[^A-Za-z0-9]', '_', plugin).upper()}" for plugin in plugins]
    for name in in_force.plugins.unknown(tuple(plugins)):
        near = difflib.get_close_matches(name, spelt, n=1)
        yield UnknownName(name, f"{near[0]}_..." if near else "")


def _unknown(environment: Mapping[str, str]) -> Iterator[UnknownName]:
    known = [setting.variable for setting in described()]
    prefixes = tuple({f"{variable.partition('_')[0]}_" for variable in known})
    passed = [properties.PREFIX + name.upper().replace(".", "_") for name in sorted(PROPERTIES)]
    for name, text in sorted(environment.items()):
        if name in known or not text.strip() or name.startswith(properties.PREFIX) or _is_kubernetes(name, text):
            continue
        spelt = name.upper().replace("-", "_")
        ours = spelt.startswith(prefixes)
        near = difflib.get_close_matches(spelt, [*known, *passed], n=1, cutoff=0.6 if ours else 0.88)
        if near or ours:
            yield UnknownName(name, near[0] if near else "")


def _is_kubernetes(name: str, text: str) -> bool:
    """Kubernetes sets such variables in each container beside a service that is called clickhouse, or lpa."""
    address = re.match("(tcp|udp|sctp)://", text) is not None
    return re.search(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)", name) is not None or (
        name.endswith("_PORT") and address
    )


def nearest(name: str, known: Sequence[str]) -> str:
    """Say which of the names one that is not among them may mean."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}" if near else f"there are {', '.join(sorted(known)) or 'none'}"
