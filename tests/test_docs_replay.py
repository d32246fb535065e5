"""docs/operations/REPLAY_RUNBOOK.md: its commands run in an empty folder; its names are those there are."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from services.preloaded import preloaded_lpa

from lpa_core.cli import build_app
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_replay.fix.file import STEPS
from lpa_replay.fix.steps import CASTS
from lpa_replay.planning.request import Request

PAGE = (Path(__file__).parents[1] / "docs" / "operations" / "REPLAY_RUNBOOK.md").read_text()
BLOCKS = re.findall(r"^```(\w+) ?(.*)\n((?:.*\n)*?)^```$", PAGE, re.MULTILINE)


@pytest.mark.slow
def test_the_commands_run(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{preloaded_lpa().parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def run(command: str) -> str:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    ran = []
    for language, title, text in BLOCKS:
        if language == "toml":
            (tmp_path / title).write_text(text)
        elif (language, title) == ("sh", ""):
            for command in text.splitlines():
                if "$ID" in command:
                    environment["ID"] = json.loads(run("lpa replay list --json"))[0]["replay_id"]
                ran.append((command, run(command)))
    told = dict(ran)
    assert len(ran) >= 11
    assert "missing_field" in told["lpa triage"]
    assert "FAIL" not in told["lpa replay verify $ID"]
    assert "recovered" in told["lpa replay show $ID"]
    checked = told["lpa replay check events.ndjson --against recorded"]
    assert "Run twice, it gives the same both times, byte for byte." in checked


def test_the_commands_that_need_servers_are_commands_of_lpa() -> None:
    settings = Settings()
    app = build_app(settings, PluginManager(settings))
    commands = [line for _, title, text in BLOCKS if title == "kafka" for line in text.splitlines()]
    assert len(commands) == 3
    for command in commands:
        app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)


def test_every_option_is_explained_and_no_other() -> None:
    names = {f"--{field.name.replace('_', '-')}" for field in attrs.fields(Request)}
    plural = {"--classes": "--class", "--reasons": "--reason", "--types": "--type", "--stages": "--stage"}
    plural |= {"--partitions": "--partition", "--everything": "--all", "--max-records": "--max", "--source": "--from"}
    options = {plural.get(name, name) for name in names}
    assert options <= set(re.findall(r"(?<!-)--[a-z][a-z-]*", PAGE))
    assert set(re.findall(r"(?<!-)--[a-z][a-z-]*", PAGE)) - options == {
        "--plan",
        "--canary",
        "--canary-only",
        "--wide",
        "--output",
        "--against",
        "--yes",
        "--profile",
    }


def test_every_step_and_cast_of_a_fix_file_is_explained() -> None:
    assert {f"{{ {name} = " for name in STEPS} <= set(re.findall(r"\{ \w+ = ", PAGE))
    assert all(f"`{name}`" in PAGE for name in CASTS)
