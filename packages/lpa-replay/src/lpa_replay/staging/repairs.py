"""What repairs records before they are judged again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lpa_core.plugins.manager import PluginManager
from lpa_core.replays import ReplayRecord, ReplayRefused
from lpa_replay.fix.file import FixFile, parse_fixes
from lpa_replay.planning.plan import Plan
from lpa_replay.planning.request import transforms_of

Repair = tuple[str, Callable[[ReplayRecord], bytes | None]]
"""A transform and its name, for outcomes."""


def repairs_of(plan: Plan, plugins: PluginManager) -> Sequence[Repair]:
    """What records go through: the plugins' transforms, then the fix file's. Raises ReplayRefused.

    A plan whose transforms are no longer those that are loaded would not do what was planned.
    """
    loaded = transforms_of(plugins)
    if loaded != plan.transforms:
        raise ReplayRefused(
            f"planned with the transforms {', '.join(plan.transforms) or 'of no plugin'}, but "
            f"{', '.join(loaded) or 'none'} are loaded: plan again, or bring the plugins back"
        )
    fix = None if plan.asked.fix is None else parse_fixes(plan.asked.fix, "the plan's fix file")
    return loaded_repairs(plugins, fix)


def loaded_repairs(plugins: PluginManager, fix: FixFile | None) -> Sequence[Repair]:
    """The transforms of the plugins that are loaded, then the fix file's."""
    repairs: list[Repair] = [
        (f"{transform.__name__} of the plugin {plugin.name} ({plugin.package})", transform)
        for plugin, transform in plugins.replay_transforms()
    ]
    return repairs if fix is None else [*repairs, ("fix", fix.apply)]
