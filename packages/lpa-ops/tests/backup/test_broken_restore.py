"""A restore that was killed at any of its steps: nothing goes on over missing rows, and run again it finishes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from services.preloaded import preloaded_python

pytestmark = [pytest.mark.slow, pytest.mark.each_share]


def test_nothing_is_taken_for_stored_after_a_killed_restore(tmp_path: Path) -> None:
    """In a process of its own: one that has had the embedded engine open, as other tests do, cannot fork safely."""
    script = Path(__file__).with_name("broken_restore_run.py")
    done = subprocess.run([preloaded_python(), script, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["kills"]
    assert answer["left over"] == [], "the next restore removes the scratch folder of a killed one"
    for kill in answer["kills"]:
        step = kill["step"]
        if not kill["to be refused"]:
            assert kill["ingest"]["status"] == 0, step
            assert kill["content"] == answer["before"], f"{step}: all is stored"
        else:
            for tried in (kill["ingest"], kill["backup"]):
                assert tried["status"] == 1, step
                assert "a restore was interrupted" in tried["said"], step
                assert "run `lpa backup restore " in tried["said"], step
        assert kill["again"]["status"] == 0, f"{step}: {kill['again']['said']}"
        assert kill["ingest again"] == [0, 0], step
        assert kill["content again"] == answer["before"], step
