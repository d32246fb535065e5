"""``ulimit -n`` is too low: told as that, never as a fault in lpa or as damage."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LPA = [str(Path(sys.executable).with_name("lpa"))]
TOLD = "raise its limit: `ulimit -n`"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "events.ndjson").write_text('{"a": 1}\n')
    assert lpa(tmp_path, "ingest", "events.ndjson")[0] == 0
    return tmp_path


def lpa(folder: Path, *arguments: str, files: int = 4096) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LPA_", "CLICKHOUSE_"))}
    done = subprocess.run(
        ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *LPA, *arguments],
        cwd=folder,
        env=environment | {"LPA_DATA_DIR": str(folder / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout


def test_failure_14_a_low_limit_of_open_files_is_told_as_that(folder: Path) -> None:
    for files, arguments in {
        24: ["ingest", "events.ndjson"],
        40: ["ingest", "events.ndjson"],
        25: ["recover", "total-loss", "--execute"],
    }.items():
        status, said = lpa(folder, *arguments, files=files)
        assert status in (1, 2), said
        assert TOLD in said
        for wrong in ("fault in lpa", "restore the folder", "not installed", "Traceback", "damaged"):
            assert wrong not in said
    assert not list(folder.glob("data/*.damaged-*")), "a database that is well is not set aside"
    assert lpa(folder, "ingest", "events.ndjson")[0] == 0


def test_failure_14_a_soft_limit_is_raised(folder: Path) -> None:
    status, said = lpa(folder, "ingest", "events.ndjson", files=4096)
    assert status == 0, said
    done = subprocess.run(
        ["sh", "-c", 'ulimit -Sn 24; exec "$@"', "sh", *LPA, "ingest", "events.ndjson"],
        cwd=folder,
        env=os.environ | {"LPA_DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
