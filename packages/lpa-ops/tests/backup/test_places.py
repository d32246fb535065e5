"""What ``lpa backup`` says of places that are not there, or are none for backups."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
import structlog
from services.preloaded import preloaded_lpa

from lpa_core.cli import run
from lpa_ops.backup.store import BackupStore
from lpa_ops.testing.backups import FULL


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LPA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("LPA_BACKUP_DIR", raising=False)
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("command", ["list", "prune"])
def test_a_named_place_has_to_be_there_and_the_default_one_need_not(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backup", command, "--location", str(tmp_path / "nope")]) == 1
    said = f"lpa: {tmp_path}/nope: there is no such folder: name the one that holds the backups\n"
    assert capsys.readouterr().err == said
    assert run(["backup", command]) == 0


@pytest.mark.slow
def test_a_file_is_named_once_and_as_no_archive(tmp_path: Path) -> None:
    """In processes of their own: this one may have the embedded engine open for another test."""
    file = tmp_path / "file"
    file.touch()
    assert _refused_to_create_in(file) == f"lpa: backups {file}: File exists: make it a writable folder\n"


@pytest.mark.slow
def test_no_backup_is_put_into_what_it_is_a_backup_of(tmp_path: Path) -> None:
    inside = tmp_path / "data" / "clickhouse" / "backups"
    (tmp_path / "link").symlink_to(tmp_path / "data")
    for place in (inside, tmp_path / "link" / "clickhouse"):
        assert f"lpa: {place} is in the folder of the database, and would be lost with it" in _refused_to_create_in(
            place
        )
    assert not inside.exists()


def _refused_to_create_in(place: Path) -> str:
    lpa = preloaded_lpa()
    subprocess.run([lpa, "schema", "apply"], check=True, capture_output=True)
    create = [lpa, "backup", "create", "--location", place]
    done = subprocess.run(create, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr


def test_a_missing_base_is_named_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = BackupStore(str(tmp_path / "backups"))
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "part.bin").write_bytes(b"rows")
    location = store.keep(attrs.evolve(FULL, id="added", base="full"), {"database": tmp_path / "database"})
    assert run(["backup", "restore", location]) == 1
    said = capsys.readouterr().err
    assert f"{location} adds to {tmp_path}/backups/full, which is missing or incomplete: put that backup back" in said
