"""The commands of README and AGENTS run, in their order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from services.preloaded import preloaded_lpa

README = Path(__file__).parents[1] / "README.md"
AGENTS = README.with_name("AGENTS.md")
NOXFILE = README.with_name("noxfile.py").read_text()


def _blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    """In an empty folder; then those for agents, on what these made."""
    _run(_commands(_blocks()[1]), tmp_path)
    (tmp_path / "events.ndjson").write_text('{"not": "an event"}\n' * 8)
    _run(["lpa ingest events.ndjson"], tmp_path)
    operate, develop = re.findall(r"```sh\n(.*?)```", AGENTS.read_text(), re.DOTALL)
    _run(_commands(operate), tmp_path)
    for command in _commands(develop):
        program, session, *paths = command.split()
        assert (program, f"def {session}(session" in NOXFILE) == ("./dev", True)
        assert all((README.parent / path).exists() for path in paths)


def _commands(block: str) -> list[str]:
    commands = [line.partition("  #")[0].strip() for line in block.splitlines()]
    assert len(commands) >= 3
    return commands


def _run(commands: list[str], folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{preloaded_lpa().parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_the_two_commands_are_sessions() -> None:
    first = re.findall(r"^\./dev (\w+)", _blocks()[0], re.MULTILINE)
    assert first == ["quickstart", "tests"]
    for session in first:
        assert f"def {session}(session" in NOXFILE
