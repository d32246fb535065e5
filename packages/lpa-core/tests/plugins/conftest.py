"""Packages that bring a plugin, without installing anything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from textwrap import dedent

import pytest
import structlog


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., EntryPoint]]:
    """``install(package, source, plugin=name)`` puts a package on the path whose one module is its plugin."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    modules = []

    def install_package(name: str, source: str, plugin: str = "", version: str = "1.0") -> EntryPoint:
        module = f"{name.replace('-', '_')}_plugin"
        modules.append(module)
        (site / f"{module}.py").write_text(dedent(source))
        information = site / f"{name.replace('-', '_')}-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n")
        (information / "entry_points.txt").write_text(f"[lpa]\n{plugin or name} = {module}\n")
        (entry_point,) = Distribution.at(information).entry_points
        return entry_point

    yield install_package
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()
