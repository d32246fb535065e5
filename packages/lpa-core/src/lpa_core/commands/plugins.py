"""``lpa plugins``: what is loaded, from which package and version."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from lpa_core.commands.listing import ListColumn, print_list
from lpa_core.commands.options import Json
from lpa_core.commands.output import console, print_json
from lpa_core.plugins.manager import PluginManager


def list_plugins(plugins: PluginManager) -> Callable[..., None]:
    def plugins_command(*, json: Json = False) -> None:
        """List the plugins: what is loaded, from which package and version."""
        if json:
            print_json([attrs.asdict(plugin) for plugin in plugins.plugins])
            return
        rows = []
        for plugin in plugins.plugins:
            state = "disabled" if plugin.disabled else f"broken: {plugin.problem}" if plugin.problem else "loaded"
            rows.append((plugin.name, plugin.package, plugin.version, state, " ".join(plugin.hooks)))
        print_list(
            console(),
            ("plugin", "package", "version", ListColumn("state", prose=True), ListColumn("hooks", prose=True)),
            rows,
        )

    return plugins_command
