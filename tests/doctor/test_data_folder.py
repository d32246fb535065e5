"""``lpa doctor`` on the data folder, the disk and the embedded database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from doctor.answers import Doctor, failed, text


def test_failure_31_a_file_in_the_place_of_the_data_folder_is_told(doctor: Doctor) -> None:
    Path("lpa-data").write_text("x")
    found = doctor()
    assert "lpa-data is not a folder | remove it, or set LPA_DATA_DIR" in text(found, "data_folder")
    assert {"data_folder", "embedded_database", "dedup_store"} <= {*failed(found)}


NOBODY: Final = 65_534
AS_NOBODY: Final = """
import contextlib, io, os, sys
from lpa_core.cli import run
with contextlib.redirect_stdout(io.StringIO()):
    run(["doctor"])  # imports everything, which nobody may not be allowed to read
os.setgroups([])
os.setgid(65_534)
os.setuid(65_534)
sys.exit(run(["doctor", "--json"]))
"""


def doctor_as_nobody() -> subprocess.CompletedProcess[str]:
    """A process without rights, in the working folder."""
    return subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_failure_31_a_data_folder_of_somebody_else_is_told_with_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        monkeypatch.chdir(folder)
        Path("lpa-data").mkdir(mode=0o755)
        done = doctor_as_nobody()
        found = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
        assert done.returncode == 1
        assert found["data_folder"]["state"] == "failed"
        assert "lpa-data belongs to root, and nobody cannot write into it" in found["data_folder"]["detail"]
        assert found["data_folder"]["action"].startswith("run lpa as root, give nobody the right to write")
        os.chown("lpa-data", NOBODY, NOBODY)
        done = doctor_as_nobody()
        assert done.returncode == 0, done.stdout
        monkeypatch.undo()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_failure_31_a_data_folder_that_root_would_write_into_is_told_with_its_owner(doctor: Doctor) -> None:
    """What root makes there, its owner could not write to later."""
    Path("lpa-data").mkdir()
    os.chown("lpa-data", NOBODY, NOBODY)
    found = doctor(status=0)
    assert found["data_folder"]["state"] == "warning"
    assert "run lpa as nobody" in text(found, "data_folder")


def test_failure_31_a_full_disk_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_DISK_FREE_SHARE", "1,1")
    found = doctor()
    assert failed(found) == ["disk"]
    assert "make room on it, or set LPA_DATA_DIR" in text(found, "disk")


HOLD: Final = """
import fcntl, os, sys
status = open(sys.argv[1], "w+")
status.write(f"PID: {os.getpid()}\\n")
status.flush()
fcntl.flock(status, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(database: Path) -> Iterator[int]:
    """Another process has the embedded database open, as far as its lock tells."""
    database.mkdir(parents=True)
    command = [sys.executable, "-c", HOLD, str(database / "status")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
        process.communicate("")


def test_failure_31_a_database_that_a_running_job_has_open_is_told_as_a_fact(doctor: Doctor) -> None:
    with held(Path("lpa-data/clickhouse")) as pid:
        found = doctor(status=0)
    assert found["embedded_database"]["state"] == "ok"
    assert f"is open in process {pid}" in text(found, "embedded_database")
