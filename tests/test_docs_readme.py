"""The commands of the README run, in their order, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from services.preloaded import preloaded_lpa

README = Path(__file__).parents[1] / "README.md"


def _blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    commands = [line.partition("  #")[0].strip() for line in _blocks()[1].splitlines()]
    assert len(commands) >= 5
    environment = {**os.environ, "PATH": f"{preloaded_lpa().parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_the_two_commands_are_sessions() -> None:
    noxfile = (README.parent / "noxfile.py").read_text()
    first = re.findall(r"^\./dev (\w+)", _blocks()[0], re.MULTILINE)
    assert first == ["quickstart", "tests"]
    for session in first:
        assert f"def {session}(session" in noxfile
