"""``lpa plugins``: list what is loaded, check it, and write a package for a new one."""

from __future__ import annotations

from pathlib import Path

import attrs
import cyclopts

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.options import Json
from lpa_core.commands.output import console, print_json, print_line
from lpa_core.commands.plugin_check import CheckedPlugin, checked_plugins
from lpa_core.errors import UsageError
from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.new_plugin import write_plugin


def plugins_app(plugins: PluginManager) -> cyclopts.App:
    app = cyclopts.App(name="plugins")

    @app.default
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

    @app.command
    def check(name: str | None = None, /, *, json: Json = False) -> int:
        """Check plugins: declarations, what hooks return and how long they take; exit with 1 if one is broken.

        Validators and classifiers judge some events, too. Plugins of lpa itself are left out.

        Parameters
        ----------
        name
            Check this plugin only.
        """
        checked = checked_plugins(plugins)
        if name is not None:
            known = [each.plugin.name for each in checked]
            checked = [each for each in checked if each.plugin.name == name]
            if not checked:
                there = f"there are {', '.join(known)}" if known else "there are none beside lpa's own"
                raise UsageError(f"there is no plugin {name} to check", remedy=there)
        if json:
            print_json([_as_json(each) for each in checked])
        else:
            _print_checked(checked)
        return 1 if any(each.problems for each in checked) else 0

    @app.command
    def new(name: str, /, *, folder: Path = Path()) -> None:
        """Write a package for a new plugin: an event type, a validator, and tests that pass.

        Parameters
        ----------
        name
            Of the plugin: lower-case letters, digits and single hyphens. The package is called lpa-NAME.
        folder
            Where the package's folder is made. Default: here.
        """
        root, files = write_plugin(name, folder, [plugin.name for plugin in plugins.plugins])
        for file in files:
            print_line(str(root / file))
        print_paragraph(
            console(), f"Next: cd {root}, then pip install -e '.[test]', pytest, and lpa plugins check {name}"
        )

    return app


def _as_json(checked: CheckedPlugin) -> dict[str, object]:
    return {
        "plugin": checked.plugin.name,
        "package": checked.plugin.package,
        "version": checked.plugin.version,
        "seconds": dict(checked.seconds),
        "problems": [*checked.problems],
        "warnings": [*checked.warnings],
    }


def _print_checked(checked: list[CheckedPlugin]) -> None:
    if not checked:
        none = "No plugin is installed beside lpa's own: `lpa plugins new NAME` writes a package for one."
        print_paragraph(console(), none)
    for each in checked:
        title = f"{each.plugin.name}, {each.plugin.package} {each.plugin.version}"
        rows = [(name, f"{took:.3f}") for name, took in each.seconds.items()]
        print_list(console(), ("called", ListColumn("seconds", right=True)), rows, title=title)
        for problem in each.problems:
            print_paragraph(console(), f"broken: {problem}", indent="  ")
        for warning in each.warnings:
            print_paragraph(console(), f"warning: {warning}", indent="  ")
        if not each.problems:
            print_line("  all is well" if not each.warnings else "  it can be used")
