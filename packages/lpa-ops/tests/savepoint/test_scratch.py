"""Scratch folders go with their process, however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lpa_core.savepoints import SavepointError
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_ops.bundle.scratch import scratch_folder

HOLD = """
import sys
from pathlib import Path
from lpa_core.settings.settings import ProcessSettings
from lpa_core.settings.settings import Settings
from lpa_ops.bundle.scratch import scratch_folder
with scratch_folder(Settings(lpa=ProcessSettings(data_dir=Path(sys.argv[1])))) as folder:
    (folder / "claims").mkdir()
    (folder / "claims" / "rows").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


def settings(folder: Path) -> Settings:
    return Settings(lpa=ProcessSettings(data_dir=folder))


def hold(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has a scratch folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_has_stays(tmp_path: Path) -> None:
    killed, left = hold(tmp_path)
    live, used = hold(tmp_path)
    end(killed)
    (left.parent / "killed-before-it-was-locked").mkdir()
    assert (left / "claims" / "rows").exists()
    with scratch_folder(settings(tmp_path)) as mine:
        assert {each.name for each in left.parent.iterdir()} == {used.name, mine.name}
        assert (used / "claims" / "rows").exists()
    end(live)
    with scratch_folder(settings(tmp_path)):
        pass
    assert list(left.parent.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(SavepointError, match="make it writable or set LPA_DATA_DIR") as refused:
        scratch_folder(settings(tmp_path / "data")).__enter__()
    assert str(refused.value).startswith(f"{tmp_path}/data")
