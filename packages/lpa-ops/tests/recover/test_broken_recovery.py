"""A recovery that was killed: no file is taken for stored until it was run again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_nothing_is_taken_for_stored_after_a_killed_recovery(tmp_path: Path) -> None:
    """In a process of its own: one that has had the embedded engine open, as other tests do, cannot fork safely."""
    script = Path(__file__).with_name("broken_recovery_run.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert len(answer["kills"]) == 5
    for kill in answer["kills"]:
        step = kill["step"]
        assert kill["ingest"]["status"] == 1, f"{step}: {kill['ingest']['said']}"
        within = step == "total-loss at move"
        command = "lpa backup restore /" if within else f"lpa recover {step.split()[0]} --execute` again"
        assert f"was broken off, or is running still: run `{command}" in kill["ingest"]["said"], step
        assert kill["again"]["status"] == 0, f"{step}: {kill['again']['said']}"
        assert kill["ingest again"]["status"] == 0, step
        assert kill["content"] == answer["before"], step
