"""Whether a plugin's functions implement hooks that there are, with arguments that these have."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from lpa_core.plugins.hookspecs import HookSpecs
from lpa_core.settings.effective import nearest

HOOKS: Final = tuple(name for name in vars(HookSpecs) if name.startswith("lpa_"))
_GIVEN: Final = {name: tuple(inspect.signature(getattr(HookSpecs, name)).parameters)[1:] for name in HOOKS}
"""Hook -> the arguments that it may take."""


def require_known_hooks(module: object, marks_of: Callable[[object, str], Mapping[str, Any] | None]) -> None:
    """Raise ValueError at a marked function that implements no hook, or wants what its hook does not give.

    Args:
        marks_of: of a module and the name of something in it, what ``hookimpl`` noted there; None if nothing.
    """
    for name in dir(module):
        marks = marks_of(module, name)
        if marks is None:
            continue
        hook = marks.get("specname") or name
        if hook not in HOOKS:
            if marks.get("optionalhook"):
                continue
            raise ValueError(f"there is no hook {hook}: {nearest(hook, HOOKS)}")
        for wanted in _wanted(getattr(module, name)):
            if wanted not in _GIVEN[hook]:
                raise ValueError(f"{hook} has no argument {wanted}: it may take {', '.join(_GIVEN[hook])}")


def _wanted(function: Callable[..., object]) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in several]
