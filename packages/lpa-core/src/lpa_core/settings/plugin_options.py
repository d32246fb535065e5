"""Options of plugins: the tables ``[plugins.NAME]`` of ``lpa.toml``, and over them ``PLUGINS_NAME_OPTION`` variables.

lpa does not know which options a plugin has: the plugin checks them when it is handed them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, final

PREFIX: Final = "PLUGINS_"


@final
class PluginOptions:
    """What the file and the environment say for plugins. Shows no value: one may be a password."""

    def __init__(self, tables: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._tables = {name: table for name, table in (tables or {}).items() if isinstance(table, Mapping)}
        self._variables = {
            name: value for name, value in (environment or {}).items() if name.startswith(PREFIX) and value.strip()
        }

    def of(self, plugin: str, plugins: tuple[str, ...] = ()) -> Mapping[str, Any]:
        """The options of one plugin: values as TOML has them; those of the environment are text, and win.

        Args:
            plugins: the names of all plugins there are. Of two names that a variable may mean the longer one is meant.
        """
        found = dict(self._tables.get(plugin, {}))
        for variable, option in self.variables(plugin, plugins).items():
            found[option] = self._variables[variable]
        return MappingProxyType(found)

    def variables(self, plugin: str, plugins: tuple[str, ...] = ()) -> Mapping[str, str]:
        """The variables that set an option of the plugin -> that option."""
        own, in_file = _prefix(plugin), self._tables.get(plugin, {})
        longer = tuple(_prefix(other) for other in plugins if len(_prefix(other)) > len(own))
        return {
            variable: next((name for name in in_file if _spelt(name) == _spelt(option)), option)
            for variable in self._variables
            if variable.startswith(own)
            and not variable.startswith(longer)
            and (option := variable.removeprefix(own).lower())
        }

    def unknown(self, plugins: tuple[str, ...]) -> tuple[str, ...]:
        """Variables that belong to none of the plugins."""
        known = {variable for plugin in plugins for variable in self.variables(plugin, plugins)}
        return tuple(variable for variable in self._variables if variable not in known)

    @property
    def names(self) -> tuple[str, ...]:
        """The plugins that the file has tables for."""
        return tuple(self._tables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PluginOptions) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((*self._tables, *self._variables))

    def __repr__(self) -> str:
        return f"PluginOptions({', '.join(self._tables)})"


def problems(tables: object) -> Iterator[tuple[str, str]]:
    """The name of each entry of ``[plugins]`` that cannot be, and why."""
    if not isinstance(tables, Mapping):
        yield "plugins", "plugins = ...: expected tables of options: [plugins.NAME]"
        return
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            yield f"plugins.{name}", f"plugins.{name} = ...: expected a table of options: [plugins.{name}]"


def _prefix(plugin: str) -> str:
    return f"{PREFIX}{_spelt(plugin)}_"


def _spelt(name: str) -> str:
    """A name as variables have it."""
    return re.sub(r"\W", "_", name).upper()
