"""Whether the settings are what a start takes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from lpa_core.doctor.start_check import StartCheck
from lpa_core.health.check import Finding
from lpa_core.kafka.refused_properties import refused_properties
from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.plugin import TYPE_FILES
from lpa_core.settings.effective import (
    Configuration,
    EffectiveSetting,
    nearest,
    plugin_settings,
    unknown_of_plugins,
)
from lpa_core.settings.loading import Refusal, usable
from lpa_core.settings.settings import Settings
from lpa_core.settings.settings_file import SETTINGS_FILE, SettingsFile
from lpa_core.settings.thresholds import State


def checks(plugins: PluginManager) -> Sequence[StartCheck]:
    return (StartCheck("settings", "Settings", lambda start: _judge(judged(os.environ, plugins))),)


def _judge(found: Configuration) -> Finding:
    refused, unknown = found.told(), [each.told for each in found.unknown]
    if refused:
        return Finding(State.CRITICAL, "; ".join(refused), action="correct each; `lpa config` shows what is accepted")
    if unknown:
        return Finding(State.WARNING, "; ".join(unknown), action="correct the name, or unset the variable")
    given = [each for each in (*found.settings, *found.kafka) if each.given]
    if not given:
        return Finding(State.OK, "nothing is set: every setting has its default, which `lpa config` shows")
    number = "1 is" if len(given) == 1 else f"{len(given)} are"
    return Finding(State.OK, f"{number} set, the others have their default: `lpa config` shows them")


def judged(environment: Mapping[str, str], plugins: PluginManager) -> Configuration:
    """What was given, judged by everything that a start asks: the settings, librdkafka and the plugins."""
    file = SettingsFile.read(Path(SETTINGS_FILE))
    found, settings = Configuration.of(environment, file), usable(environment, file)
    refused = [*found.refused]
    refused += [_of_kafka(found, name, why) for name, why in refused_properties(settings).items()]
    refused += _unknown_names(found, settings, plugins)
    installed = [plugin.name for plugin in plugins.plugins]
    problems = {refusal.option: refusal.text for refusal in refused}

    def with_problems(settings: Sequence[EffectiveSetting]) -> tuple[EffectiveSetting, ...]:
        return tuple(attrs.evolve(each, problem=problems.get(each.option, "")) for each in settings)

    return attrs.evolve(
        found,
        refused=tuple(refused),
        unknown=(*found.unknown, *unknown_of_plugins(settings, file, installed)),
        settings=with_problems(found.settings),
        kafka=with_problems(found.kafka),
        plugins=tuple(plugin_settings(settings, file, installed)),
    )


def _of_kafka(found: Configuration, name: str, why: str) -> Refusal:
    setting = {each.option: each for each in found.kafka}.get(f"kafka.{name}")
    if setting is None:
        return Refusal("", None, f"[kafka] in lpa.toml and LPA_KAFKA_ in the environment, together: {why}")
    return _refusal(found, setting, why)


def _refusal(found: Configuration, setting: EffectiveSetting, why: str) -> Refusal:
    if setting.in_environment:
        return Refusal(setting.option, None, f"{setting.name}={setting.value}: {why}")
    return Refusal(setting.option, found.file.path, f"{setting.option} = {setting.value}: {why}")


def _unknown_names(found: Configuration, settings: Settings, plugins: PluginManager) -> Iterator[Refusal]:
    """Lists of names that name what is not there."""
    loaded = [plugin.name for plugin in plugins.plugins]
    checks = [check.name for check in plugins.health_checks()]
    out = {
        plugin.name: f"is broken: {plugin.problem}" if plugin.problem else "is disabled by LPA_PLUGINS_DISABLED"
        for plugin in plugins.plugins
        if plugin.problem or plugin.disabled
    }
    given = {setting.option: setting for setting in found.settings}
    for option, names, known in (
        ("lpa.plugins_required", settings.lpa.plugins_required, loaded),
        ("lpa.plugins_disabled", settings.lpa.plugins_disabled, loaded),
        ("health.checks_disabled", settings.health.checks_disabled, checks),
    ):
        for name in names:
            if name not in known:
                what = "health check" if known is checks else "plugin"
                yield _refusal(found, given[option], f"there is no {what} {name}; {nearest(name, known)}")
            elif option == "lpa.plugins_required" and name in out:
                yield _refusal(found, given[option], f"the plugin {name} {out[name]}")
    for plugin in plugins.plugins:
        if plugin.name == TYPE_FILES and plugin.problem and settings.lpa.event_types:
            yield _refusal(found, given["lpa.event_types"], f"{plugin.problem}; `lpa types check` says all")
