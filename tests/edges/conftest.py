"""The prepared folder, which the processes of a test run share, and copies of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from edges.expected import Undisturbed, locked
from edges.ground import Ground, prepare

SHORT: Final = ("env", "LPA_TEST_KAFKA_SECONDS=2")
"""Runs a server of forks that wait less long for Kafka."""
ASCII: Final = (*SHORT, "LC_ALL=C", "PYTHONUTF8=0", "PYTHONCOERCECLOCALE=0")
ODD: Final = "a b\"c'%41#\u00e9"
OPEN: Final = Path(tempfile.gettempdir() if os.geteuid() else "/dev/shm" if Path("/dev/shm").is_dir() else "/tmp")
"""A folder that other users can enter."""


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def prepared(shared: Path) -> Path:
    folder, whole = shared / "prepared", shared / "prepared.whole"
    with locked(whole):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            prepare(folder, SHORT)
            whole.touch()
    return folder


@pytest.fixture(scope="session")
def ground(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(prepared, tmp_path_factory.mktemp("edges") / "work", within=SHORT)


@pytest.fixture(scope="session")
def undisturbed(ground: Ground, shared: Path) -> Undisturbed:
    return Undisturbed(ground, shared)


@pytest.fixture(scope="session")
def in_ascii(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(prepared, tmp_path_factory.mktemp("ascii") / "work", within=ASCII)


@pytest.fixture(scope="session")
def odd_names(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(prepared, tmp_path_factory.mktemp("names") / ODD, f"{ODD}.ndjson", within=SHORT)


@pytest.fixture(scope="session")
def two_lines(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(prepared, tmp_path_factory.mktemp("names") / "two\nlines", "two\nlines.ndjson", within=SHORT)


@pytest.fixture(scope="session")
def read_only(prepared: Path) -> Iterator[Ground]:
    """What nothing can be written to, not even by root: mounted read-only, or another user's."""
    top = Path(tempfile.mkdtemp(prefix="lpa-edges-", dir=OPEN))
    top.chmod(0o755)
    folder = top / "work"
    subprocess.run(["cp", "-a", str(prepared), str(folder)], check=True)
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    for within in (
        ["unshare", "--mount", "sh", "-c", mount, str(folder)],
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        [],
    ):
        if not within and os.geteuid() != 0:
            subprocess.run(["chmod", "-R", "a-w", str(folder)], check=True)
        probe = [sys.executable, "-c", f"import lpa_core; open({str(folder / 'probe')!r}, 'w')"]
        done = subprocess.run([*within, *probe], capture_output=True, text=True, check=False)
        if "Read-only file system" in done.stderr or "Permission denied" in done.stderr:
            yield Ground(prepared, folder, within=(*within, *SHORT), kept=True)
            break
    else:
        pytest.skip("neither a mount nor another user is allowed here, so nothing is read-only")
    subprocess.run(["chmod", "-R", "u+w", str(top)], check=True)
    shutil.rmtree(top)
