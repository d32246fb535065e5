"""The commands of docs/facts.md run, on a small file that was ingested before."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from services.preloaded import preloaded_lpa

PAGE = (Path(__file__).parents[1] / "docs" / "facts.md").read_text()


@pytest.mark.slow
def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    commands = [line for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S) for line in block.splitlines()]
    assert [command.split()[1] for command in commands] == ["materialize", "materialize", "triage"]
    environment = {**os.environ, "PATH": f"{preloaded_lpa().parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def run(command: str) -> str:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    run("lpa generate --events 300 --sessions 5 --seed 1 --output events.ndjson && lpa ingest events.ndjson --no-facts")
    said = [run(command) for command in commands]
    assert "5 sessions written" in said[1]
    assert said[2].count("stream-") == 5
