"""lpa-core as `pip install lpa-core` leaves it: a service imports all it needs, and lpa says what it lacks."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final = tomllib.loads((ROOT / "packages" / "lpa-core" / "pyproject.toml").read_text("utf-8"))["project"]

BLOCK: Final = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
"""
WITHOUT_EXTRAS: Final = BLOCK.format(blocked=("cyclopts", "rich", "confluent_kafka", "redis", "rocksdict"))


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS + code], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("module", ["lpa_core", "lpa_core.plugin"])
def test_every_public_name_is_there_without_any_extra(module: str) -> None:
    done = run(
        f"import {module} as public\nfor name in public.__all__:\n    getattr(public, name)\nprint(len(public.__all__))"
    )
    assert done.stderr == ""
    assert int(done.stdout) > 30


@pytest.mark.parametrize("arguments", [[], ["--help"], ["ingest", "events.ndjson"]])
def test_lpa_says_what_to_install(arguments: list[str]) -> None:
    done = run(f"sys.argv[1:] = {arguments!r}\nfrom lpa_core.entry_point import main\nmain()")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lpa: the command line is not installed: pip install 'lpa-core[cli]'\n"


def test_the_extra_is_where_lpa_is_wanted() -> None:
    extras = PROJECT["optional-dependencies"]
    assert sorted(each.partition(">")[0] for each in extras["cli"]) == ["cyclopts", "rich"]
    assert "cli" in extras["all"][0]
    for package in ("lpa-sinks", "lpa-replay", "lpa-flink", "lpa-ops"):
        project = tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text("utf-8"))["project"]
        assert "lpa-core[cli]" in project["dependencies"], package


def test_the_program_starts_the_command_line_if_it_is_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from lpa_core.entry_point import main; main()", "--version"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert PROJECT["scripts"] == {"lpa": "lpa_core.entry_point:main"}
