"""A package to start a plugin from: with an event type, a validator, and tests that pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from lpa_core.errors import JobFailed, UsageError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SKELETON: Final = files(__package__) / "skeleton"


class NewPluginError(JobFailed):
    """The package cannot be written. One line: where, and why."""


def write_plugin(name: str, folder: Path, taken: Iterable[str]) -> tuple[Path, list[str]]:
    """Write a package for a plugin into a new folder below ``folder``; return it and the names of its files.

    Args:
        taken: the names of the plugins that are installed.

    Raises:
        UsageError: the name is taken or cannot be one, or the folder of the package is there already.
        NewPluginError: the files cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a plugin", remedy="use lower-case letters, digits and single hyphens")
    if name in taken:
        raise UsageError(f"there is a plugin {name} already", remedy="choose another name; `lpa plugins` lists them")
    package = name if name.startswith("lpa-") else f"lpa-{name}"
    module = package.replace("-", "_")
    root = folder / package
    if root.exists():
        raise UsageError(f"{root} is there already", remedy="choose another name, or another --folder")
    parts = {"name": name, "package": package, "module": module, "type": f"{name.replace('-', '_')}_reading"}
    try:
        for path, text in _files(module, parts).items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    except OSError as error:
        raise NewPluginError(f"{error.filename or root} cannot be written: {error.strerror}") from None
    return root, sorted(_files(module, parts))


def _files(module: str, parts: Mapping[str, str]) -> dict[str, str]:
    """Path in the package -> content."""
    return {
        "pyproject.toml": _filled("pyproject.toml", parts),
        "README.md": _filled("README.md", parts),
        f"src/{module}/__init__.py": f'"""A plugin of lpa: {parts["name"]}."""\n',
        f"src/{module}/py.typed": "",
        f"src/{module}/events.py": _filled("events.py", parts),
        f"src/{module}/plugin.py": _filled("plugin.py", parts),
        "tests/test_events.py": _filled("test_events.py", parts),
    }


def _filled(name: str, parts: Mapping[str, str]) -> str:
    return Template((_SKELETON / f"{name}.txt").read_text("utf-8")).substitute(parts)
