"""The example service: it installs lpa-core only, its README tells all of its files, and its own tests pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "lpa-example-service"
README: Final = (EXAMPLE / "README.md").read_text("utf-8")


def test_it_depends_on_lpa_core_alone_without_an_extra() -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    assert [each for each in project["dependencies"] if each.startswith("lpa")] == ["lpa-core"]


def test_the_readme_names_every_file() -> None:
    files = {str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("[!_]*.py")}
    assert set(re.findall(r"^\| `([\w/]+\.py)` \|", README, re.MULTILINE)) == files


def test_links_of_the_readme_lead_to_what_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (EXAMPLE / link).exists()] == []


@pytest.mark.slow
def test_its_own_tests_pass() -> None:
    path = os.pathsep.join(filter(None, [str(EXAMPLE / "src"), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        command, cwd=EXAMPLE, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
