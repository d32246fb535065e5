"""docs/operations/archive-mirror.md: its commands run, in their order, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from services.preloaded import preloaded_lpa

PAGE = (Path(__file__).parents[1] / "docs" / "operations" / "archive-mirror.md").read_text()
COMMANDS = [
    line for block in re.findall(r"^```sh\n((?:.*\n)*?)^```$", PAGE, re.MULTILINE) for line in block.splitlines()
]
NAMES = ("archive", "restored")


@pytest.mark.slow
def test_the_commands_run(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{preloaded_lpa().parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    assert len(COMMANDS) == 5
    for command in COMMANDS:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    archive, restored = ({path.name: path.read_bytes() for path in tmp_path.glob(f"{name}/**/*.zst")} for name in NAMES)
    assert restored == archive != {}
