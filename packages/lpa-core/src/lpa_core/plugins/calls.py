"""Calls what plugins bring, and knows whose fault an error is."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from typing import Any, TypeVar, final

import structlog

from lpa_core.errors import LpaError
from lpa_core.plugins.contracts import require_methods
from lpa_core.plugins.culprit import Culprit, culprit
from lpa_core.plugins.plugin import Plugin, PluginError, PluginRaisedError, one_line

T = TypeVar("T")

_log = structlog.get_logger("lpa.plugins")


@final
class PluginCalls:
    """The plugins that are not lpa's own, and what they made."""

    def __init__(self) -> None:
        self._modules: dict[str, Plugin] = {}
        self._made: dict[type, str] = {}
        self._seconds: dict[str, dict[str, float]] = {}

    def add(self, module: str, plugin: Plugin) -> None:
        self._modules[module] = plugin

    def timed(self, plugin: Plugin, what: str, call: Callable[[], T]) -> T:
        """What a call returns; how long it took is remembered, unless ``what`` is empty."""
        began = time.perf_counter()
        try:
            with redirect_stdout(sys.stderr):  # what it prints must not stand in a command's output, such as JSON
                return call()
        finally:
            if what:
                self._seconds.setdefault(plugin.name, {})[what] = time.perf_counter() - began

    def seconds(self, plugin: Plugin) -> Mapping[str, float]:
        """What was called of the plugin when it was loaded -> how long it took."""
        return self._seconds.get(plugin.name, {})

    def is_foreign(self, plugin: Plugin) -> bool:
        return any(plugin is each for each in self._modules.values())

    def run(self, plugin: Plugin, what: str, call: Callable[[], Any]) -> Any:
        """What a call of a plugin's function returns. Raises LpaError, ImportError, and whatever lpa's own raise."""
        try:
            return call()
        except (LpaError, ImportError):
            raise
        except (Exception, SystemExit) as error:
            if not self.is_foreign(plugin):
                raise
            tell_trace(plugin, error)
            raise PluginRaisedError(f"{what} raised {one_line(error)}: correct {plugin.package}") from None

    def take(self, what: str, made: object, contract: type[Any], hook: str) -> None:
        """Remember what a plugin made. Raises PluginError if it is not what the hook is for."""
        try:
            require_methods(what, made, contract)
        except Exception as error:  # a property of a third party's object may raise whatever it likes
            told = str(error) if isinstance(error, ValueError) else f"{what} made what raised {one_line(error)}"
            raise PluginError(told) from None
        self.remember(made, hook)

    def remember(self, made: object, hook: str) -> None:
        self._made[type(made)] = hook

    def culprit(self, error: BaseException) -> Culprit | None:
        """Which of these plugins an unexpected error is of; None if of none."""
        return culprit(error, self._modules, self._made)


def tell_trace(plugin: Plugin, error: BaseException) -> None:
    trace = "".join(traceback.format_exception(error))
    _log.debug("how the plugin broke", plugin=plugin.name, exception=trace)
