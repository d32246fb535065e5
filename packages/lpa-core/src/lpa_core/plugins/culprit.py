"""Which plugin an unexpected error is of."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Final, NamedTuple, final

from lpa_core.errors import ContractError
from lpa_core.plugins.plugin import Plugin, is_ours

COMMANDS: Final = "lpa_cli_commands"


@final
class Culprit(NamedTuple):
    """A plugin, and the function of it that was called last."""

    plugin: Plugin
    function: str
    hook: str
    """By which the plugin brought it; empty if that cannot be told."""

    @property
    def named(self) -> str:
        """The beginning of a message."""
        hook = f": {self.hook}" if self.hook else ""
        return f"plugin {self.plugin.name} of {self.plugin.package}{hook}: "


def culprit(error: BaseException, modules: Mapping[str, Plugin], made: Mapping[type, str]) -> Culprit | None:
    """The plugin whose code raised, or called what raised; None if no plugin's code was under way.

    Args:
        modules: plugins that are not lpa's own, by the names of their modules.
        made: type of what a plugin's factory made -> the hook that brought the factory.
    """
    if isinstance(error, ContractError):
        kind = type(error.returned_by)
        plugin = _plugin_of(kind.__module__, modules)
        return Culprit(plugin, kind.__qualname__, _hook(kind, made)) if plugin else None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        plugin = _plugin_of(frame.f_globals.get("__name__", ""), modules)
        if plugin is not None:
            return Culprit(plugin, frame.f_code.co_qualname, _hook_of(frames, plugin, modules, made))
    return None


def _hook_of(
    frames: Iterable[FrameType], plugin: Plugin, modules: Mapping[str, Plugin], made: Mapping[type, str]
) -> str:
    """The hook of the plugin's first function that was called."""
    for frame in frames:
        if _plugin_of(frame.f_globals.get("__name__", ""), modules) is plugin:
            owner = frame.f_locals.get("self")
            return _hook(type(owner), made) or (COMMANDS if COMMANDS in plugin.hooks else "")
    return ""


def _hook(kind: type, made: Mapping[type, str]) -> str:
    return next((made[each] for each in kind.__mro__ if each in made), "")


def _plugin_of(module: str, modules: Mapping[str, Plugin]) -> Plugin | None:
    """The plugin of the module, or of the nearest one around it: modules of one package may be of several plugins."""
    if is_ours(module):
        return None
    if module in modules:
        return modules[module]
    package = module.partition(".")[0]
    near = [name for name in modules if name.partition(".")[0] == package]
    return modules[max(near, key=lambda name: _shared(name, module))] if package and near else None


def _shared(one: str, other: str) -> int:
    """How many names both begin with."""
    count = 0
    for left, right in zip(one.split("."), other.split("."), strict=False):
        if left != right:
            break
        count += 1
    return count
