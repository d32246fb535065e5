"""A plugin for another version of lpa-core is left out, with one line."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.wanted_version import fits
from lpa_core.settings.settings import Settings

Install = Callable[..., EntryPoint]
WELL = "from lpa_core.plugin import hookimpl\n@hookimpl\ndef lpa_sinks(): return {}\n"


def requiring(install: Install, tmp_path: Path, *requirements: str) -> EntryPoint:
    install("lpa-own", WELL, plugin="own")
    information = tmp_path / "site" / "lpa_own-1.0.dist-info"
    lines = "".join(f"Requires-Dist: {each}\n" for each in requirements)
    (information / "METADATA").write_text(f"Metadata-Version: 2.4\nName: lpa-own\nVersion: 1.0\n{lines}")
    (entry_point,) = Distribution.at(information).entry_points
    return entry_point


@pytest.mark.parametrize(
    "requirement", ["lpa-core>=99", "lpa_core[cli]>=99", "lpa-core (<0.0.1)", "lpa-core!=99,==98.*", "LPA.Core ~= 99.1"]
)
def test_failure_30_a_plugin_for_another_version_is_left_out(
    requirement: str, install: Install, tmp_path: Path
) -> None:
    plugins = PluginManager(Settings(), [requiring(install, tmp_path, "attrs", requirement)])
    assert plugins.plugins[0].problem.startswith("ValueError: lpa-own requires lpa-core")
    assert "is installed: install a version of lpa-own for it" in plugins.plugins[0].problem


@pytest.mark.parametrize(
    "requirement",
    ["lpa-core", "lpa-core>=0.0.1", "lpa-core @ file:///there", 'lpa-core>=99; extra == "cli"', "lpa-core-more>=99"],
)
def test_a_plugin_for_this_version_is_loaded(requirement: str, install: Install, tmp_path: Path) -> None:
    assert PluginManager(Settings(), [requiring(install, tmp_path, requirement)]).plugins[0].problem == ""


@pytest.mark.parametrize(
    ("specifiers", "expected"),
    [
        ("", True),
        (">=0.2", True),
        (">=0.2.1", False),
        (">0.2", False),
        ("<0.3,>=0.1", True),
        ("<0.2", False),
        ("<=0.2", True),
        ("==0.2", True),
        ("==0.2.*", True),
        ("==0.1.*", False),
        ("!=0.2.0", False),
        ("~=0.1", True),
        ("~=0.2.0", True),
        ("~=0.1.5", False),
        ("~=1.0", False),
        (">=1!0", True),
    ],
)
def test_versions_are_compared_by_their_numbers(specifiers: str, expected: bool) -> None:
    assert fits("0.2.0", specifiers) is expected
    assert fits("0.2.0rc1", specifiers) is expected
