"""The second domain: the commands of its README run in their order, and its page shows what they print."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from services.preloaded import preloaded_lpa

from lpa_core.settings.loading import described

pytestmark = pytest.mark.slow

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "iot-readings"
README: Final = (EXAMPLE / "README.md").read_text()


def test_one_file_and_no_python_store_another_domain(tmp_path: Path) -> None:
    assert [file.name for file in EXAMPLE.iterdir() if file.suffix == ".py"] == []
    for name in ("sensors.toml", "documents.ndjson"):
        shutil.copy(EXAMPLE / name, tmp_path)
    plain = {name: value for name, value in os.environ.items() if name not in {each.variable for each in described()}}
    path = f"{preloaded_lpa().parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**plain, "PATH": path, "COLUMNS": "80", "LPA_LOG_LEVEL": "error"}
    printed: dict[str, str] = {}
    lines = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
    for line in lines:
        done = subprocess.run(
            line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), line
        printed[line] = done.stdout
    assert printed["lpa types check sensors.toml"].endswith("2 event types, 1 ignore rule: all is well\n")
    assert "8 samples: 6 accepted, 1 ignored, 1 rejected" in printed[lines[2]]
    ingested = re.findall(r"^(\w+)[^\n]*? +(\d+)$", printed["lpa ingest documents.ndjson"], re.MULTILINE)
    assert {("accepted", "5"), ("quarantined", "1"), ("ignored", "1"), ("station_readings", "6")} <= {*ingested}
    (averages,) = re.findall(r"```text averages\n(.*?)```", README, re.DOTALL)
    assert averages in printed.values()
    assert any("wire broken" in text for line, text in printed.items() if "failure_reason" in line)
    assert "missing" not in printed["lpa schema plan"]
