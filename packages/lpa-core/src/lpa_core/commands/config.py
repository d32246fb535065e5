"""``lpa config``: every setting, where its value comes from, and what is wrong with what was given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
from rich.console import Console

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json
from lpa_core.commands.output import console, plain, print_json
from lpa_core.kafka.refused_properties import refused_properties
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.effective import Configuration, EffectiveSetting, nearest
from lpa_core.settings.loading import Refusal, usable
from lpa_core.settings.settings import Settings
from lpa_core.settings.settings_file import SETTINGS_FILE, SettingsFile

_COLUMNS: Final = ("setting", ListColumn("value"), ListColumn("from"), ListColumn("accepted", prose=True))


def config(plugins: PluginManager) -> Callable[..., int]:
    def config_command(*, json: Json = False) -> int:
        """Show every setting: its value, where that comes from, and what is accepted.

        Exit with 1 if a start would refuse a setting, or a variable looks like a setting and is none.
        """
        found = judged(os.environ, plugins)
        if json:
            print_json(_as_json(found))
        else:
            _print(found, console())
        return 1 if found.refused or found.unknown else 0

    return config_command


def judged(environment: Mapping[str, str], plugins: PluginManager) -> Configuration:
    """What was given, judged by everything that a start asks: the settings, librdkafka and the plugins."""
    file = SettingsFile.read(Path(SETTINGS_FILE))
    found, settings = Configuration.of(environment, file), usable(environment, file)
    refused = [*found.refused]
    refused += [_of_kafka(found, name, why) for name, why in refused_properties(settings).items()]
    refused += _unknown_names(found, settings, plugins)
    problems = {refusal.option: refusal.text for refusal in refused}

    def with_problems(settings: Sequence[EffectiveSetting]) -> tuple[EffectiveSetting, ...]:
        return tuple(attrs.evolve(each, problem=problems.get(each.option, "")) for each in settings)

    return attrs.evolve(
        found, refused=tuple(refused), settings=with_problems(found.settings), kafka=with_problems(found.kafka)
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


def _print(found: Configuration, screen: Console) -> None:
    for title, style, lines in (
        ("refused", "bold red", found.told()),
        ("unknown", "yellow", [unknown.told for unknown in found.unknown]),
    ):
        if lines:
            screen.print(plain(f"{title}: {len(lines)}", style), soft_wrap=True)
            for line in lines:
                print_paragraph(screen, line, indent="  ")
            screen.print()
    everything = [*found.settings, *found.kafka]
    for title, some in (
        ("set", [each for each in everything if each.given]),
        ("default", [each for each in everything if not each.given]),
    ):
        if some:
            screen.print(plain(f"{title}: {len(some)}", "bold"), soft_wrap=True)
            rows = [(each.name, each.value or "none", each.origin, each.accepted) for each in some]
            print_list(screen, _COLUMNS, rows)
            screen.print()
    file = found.file
    read = f"{file.path.absolute()} was read" if file.present else f"There is no {file.path} in this folder"
    print_paragraph(screen, f"{read}. `lpa config --json` also says what each setting is for.")


def _as_json(found: Configuration) -> dict[str, Any]:
    return {
        "file": str(found.file.path.absolute()) if found.file.present else None,
        "refused": found.told(),
        "unknown": [{"name": each.name, "nearest": each.nearest or None} for each in found.unknown],
        "settings": [_setting(each) for each in found.settings],
        "kafka": [_setting(each) for each in found.kafka],
    }


def _setting(setting: EffectiveSetting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "option": setting.option,
        "value": setting.value,
        "from": setting.origin,
        "accepted": setting.accepts,
        "type": setting.type,
        "unit": setting.unit,
        "default": setting.default,
        "meaning": setting.doc,
        "secret": setting.secret,
        "problem": setting.problem,
    }
