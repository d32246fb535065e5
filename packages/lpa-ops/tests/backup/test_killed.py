"""A backup of what a killed process left in the embedded database, restored and gone on from: as if undisturbed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from services.preloaded import preloaded_python

pytestmark = [pytest.mark.slow, pytest.mark.each_share]


def test_a_backup_of_what_a_kill_left_is_restored_and_gone_on_from(tmp_path: Path) -> None:
    """In a process of its own: one that has had the embedded engine open, as other tests do, cannot fork safely."""
    script = Path(__file__).with_name("killed_run.py")
    done = subprocess.run([preloaded_python(), script, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["undisturbed"]["streaming_events"][0] == 2790
    assert answer["kills"]
    for kill in answer["kills"]:
        assert kill["content"] == answer["undisturbed"], kill["step"]
        assert kill["read"] > 0, f"{kill['step']}: there was something to read again"
        cut = kill["cut"] > 0
        assert cut == kill["unfinished"], f"{kill['step']}: rows of an unfinished range are in a backup, or are not"
