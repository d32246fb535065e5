"""A file is whole or absent, also after a power failure: what is synced, and in which order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lpa_core.durable import write_file


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the disk, in its order."""
    found: list[str] = []
    synced, replaced = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        found.append(f"sync {path.name} of {path.stat().st_size} bytes" if path.is_file() else f"sync {path.name}/")
        synced(handle)

    def replace(self: Path, target: Path) -> Path:
        found.append(f"{self.name} becomes {target.name}")
        return replaced(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks Linux for the path of an open file")
def test_content_is_on_disk_before_the_name_and_the_name_before_the_return(tmp_path: Path, events: list[str]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "file.json"
    file.write_bytes(b"old")
    assert write_file(file, [b"new ", b"content"]) == 11
    assert file.read_bytes() == b"new content"
    assert events == ["sync file.json.tmp of 11 bytes", "file.json.tmp becomes file.json", "sync folder/"]


def test_a_failure_leaves_the_older_file(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new "
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write_file(file, chunks())
    assert file.read_bytes() == b"old"


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_who_may_read_it(tmp_path: Path, private: bool, mode: int) -> None:
    before = os.umask(0o022)
    try:
        write_file(tmp_path / "file", [b"x"], private=private)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode
