"""The start checks of one plugin, asked when ``lpa doctor`` runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lpa_core.argument_checks import shown_type
from lpa_core.doctor.start_check import PlannedStart, StartCheck, is_start_check
from lpa_core.health.check import Finding
from lpa_core.plugins.hook_answers import sequence
from lpa_core.plugins.plugin import Plugin, PluginError, one_line

_HOOK = "lpa_start_checks"


def start_checks_of(plugin: Plugin, ask: Callable[..., Any], start: PlannedStart) -> Sequence[StartCheck]:
    """What the hook returns. If it cannot be used, one check that says so: no other check is hidden."""
    try:
        checks = sequence(_HOOK, ask(start=start))
        for check in checks:
            if not is_start_check(check):
                raise ValueError(f"{shown_type(check)} is none: a StartCheck has texts, a judge to call, and seconds")
        return checks
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a third party's hook raises, an exit too
        failed = PluginError(
            f"{_HOOK} of the plugin {plugin.name}: {one_line(error)}",
            remedy=f"correct {plugin.package}, or set LPA_PLUGINS_DISABLED={plugin.name}",
        )

    def judge(start: PlannedStart) -> Finding:
        raise failed

    return [StartCheck("start_checks", "Checks of a plugin", judge, subject=plugin.name)]
