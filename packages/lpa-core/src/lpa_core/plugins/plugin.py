"""A plugin as ``lpa plugins`` lists it, and the names of those that lpa itself brings."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Final, final

import attrs

from lpa_core.errors import ConfigurationError, JobFailed
from lpa_core.health.check_answer import message

_OUR_PACKAGES: Final = ("lpa_core", "lpa_sinks", "lpa_replay", "lpa_flink", "lpa_ops")
_LONGEST: Final = 500
TYPE_FILES: Final = "types"
"""The plugin that brings what files of event types declare."""


class PluginError(ConfigurationError):
    """A plugin is missing or broken, or nothing serves a URI. One line, with the remedy."""


class PluginRaisedError(JobFailed):
    """A function of a plugin raised what it must not. One line that names plugin, hook and error."""


@final
@attrs.define(slots=True)
class Plugin:
    """A plugin and how it fares. ``problem`` is one line; empty if all is well."""

    name: str
    package: str
    version: str
    hooks: tuple[str, ...] = ()
    disabled: bool = False
    problem: str = ""


def is_ours(module: str) -> bool:
    """Whether a module is of lpa itself."""
    return module.partition(".")[0] in _OUR_PACKAGES


def ours_first(found: list[EntryPoint]) -> list[EntryPoint]:
    """The core, then the rest of lpa, then others by name: a plugin that takes a name of lpa's is left out."""

    def rank(entry_point: EntryPoint) -> tuple[bool, bool, str, str]:
        module = entry_point.value
        return module.partition(".")[0] != "lpa_core", not is_ours(module), entry_point.name, module

    return sorted(found, key=rank)


def one_line(error: BaseException) -> str:
    """The error's type and message in one line of bounded length."""
    return shortened(f"{type(error).__name__}: {message(error)}")


def shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
