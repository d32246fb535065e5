"""A recovery that was killed: no file is taken for stored until what the refusal names was run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from services.preloaded import preloaded_python

pytestmark = [pytest.mark.slow, pytest.mark.each_share]


def test_failure_18_a_killed_recovery_is_gone_on_with_by_the_command_that_the_refusal_names(tmp_path: Path) -> None:
    """In a process of its own: one that has had the embedded engine open, as other tests do, cannot fork safely."""
    script = Path(__file__).with_name("broken_recovery_run.py")
    done = subprocess.run([preloaded_python(), script, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["kills"]
    for kill in answer["kills"]:
        step = kill["step"]
        assert kill["ingest"]["status"] == 1, f"{step}: {kill['ingest']['said']}"
        within = step == "total-loss at move"
        command = "lpa backup restore /" if within else f"lpa recover {step.split()[0]} --execute` again"
        assert f"was interrupted, or is still running: run `{command}" in kill["ingest"]["said"], step
        assert kill["again"]["status"] == 0, f"{step}: {kill['again']['said']}"
        assert kill["ingest again"]["status"] == 0, step
        assert "There is nothing to recover" in kill["once more"]["said"], step
        assert kill["content"] == answer["before"], step
