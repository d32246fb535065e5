"""What ``--help`` of each command prints."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from functools import cache

import cyclopts
from rich.console import Console

from lpa_core.cli import build_app
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load

_FRAME = re.compile("[\u2500-\u257f]")


@cache
def help_texts() -> Mapping[str, str]:
    """Command, such as ``lpa backup create`` -> its help, without frames."""
    settings = load()
    return dict(_of(build_app(settings, PluginManager(settings)), "lpa"))


def _of(app: cyclopts.App, command: str) -> Iterator[tuple[str, str]]:
    printed = io.StringIO()
    app.help_print([], console=Console(file=printed, width=200))
    yield command, " ".join(_FRAME.sub(" ", printed.getvalue()).split())
    for name in app:
        if not name.startswith("-"):
            yield from _of(app[name], f"{command} {name}")
