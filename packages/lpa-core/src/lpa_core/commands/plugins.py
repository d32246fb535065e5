"""``lpa plugins``: what is loaded, from which package and version."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lpa_core.commands.options import Json
from lpa_core.commands.output import print_json
from lpa_core.plugins.manager import PluginManager


def list_plugins(plugins: PluginManager) -> Callable[..., None]:
    def plugins_command(*, json: Json = False) -> None:
        """List the plugins: what is loaded, from which package and version."""
        if json:
            print_json([attrs.asdict(plugin) for plugin in plugins.plugins])
            return
        table = Table("plugin", "package", "version", "state", "hooks")
        for plugin in plugins.plugins:
            state = "disabled" if plugin.disabled else f"broken: {plugin.problem}" if plugin.problem else "loaded"
            cells = (plugin.name, plugin.package, plugin.version, state, " ".join(plugin.hooks))
            table.add_row(*map(escape, cells))
        Console().print(table)

    return plugins_command
