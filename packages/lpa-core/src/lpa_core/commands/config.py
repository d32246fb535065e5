"""``lpa config``: every setting, where its value comes from, and what is wrong with what was given."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json
from lpa_core.commands.output import console, plain, print_json
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.effective import Configuration, EffectiveSetting
from lpa_core.start_checks.configuration import judged

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
    everything = [*found.settings, *found.kafka, *found.plugins]
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
        "plugins": [_setting(each) for each in found.plugins],
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
