"""Ways in which the files of a RocksDB dedup store get damaged, each with what the store reports."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from lpa_core.dedup.rocksdb import RocksDBDedupStore


def closed_store(path: Path, ttl_ms: int, now: int, keys: int) -> None:
    """Make a store with claims ``k0`` to ``k<keys>`` of partition 0 of "events", in table files and in the log."""
    for start in (0, keys // 2):
        store = RocksDBDedupStore(path, ttl_ms)
        some = range(start, start + keys // 2)
        store.claim([f"k{number}" for number in some], "events", 0, some, now)
        store.close()


def _one(path: Path, pattern: str) -> Path:
    return max(path.glob(pattern), key=lambda file: file.stat().st_size)


def _remove(files: Sequence[Path]) -> None:
    for file in files:
        file.unlink()


def _cut(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])


def _garble(file: Path) -> None:
    file.write_bytes(bytes(byte ^ 0x55 for byte in file.read_bytes()))


def _folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGE: Final[Mapping[str, Callable[[Path], object]]] = {
    "MANIFEST is missing": lambda path: _one(path, "MANIFEST-*").unlink(),
    "MANIFEST is empty": lambda path: _cut(_one(path, "MANIFEST-*"), 0),
    "MANIFEST is garbled": lambda path: _garble(_one(path, "MANIFEST-*")),
    "CURRENT is missing": lambda path: (path / "CURRENT").unlink(),
    "CURRENT is empty": lambda path: (path / "CURRENT").write_bytes(b""),
    "CURRENT points nowhere": lambda path: (path / "CURRENT").write_bytes(b"MANIFEST-999999\n"),
    "CURRENT is a folder": lambda path: _folder_instead(path / "CURRENT"),
    "CURRENT and MANIFEST are missing": lambda path: _remove([path / "CURRENT", _one(path, "MANIFEST-*")]),
    "a table file is missing": lambda path: _one(path, "*.sst").unlink(),
    "a table file is cut": lambda path: _cut(_one(path, "*.sst"), 100),
    "a table file is empty": lambda path: _cut(_one(path, "*.sst"), 0),
    "a table file is garbled": lambda path: _garble(_one(path, "*.sst")),
}
"""What can be told by opening the store."""

LOSS: Final[Mapping[str, Callable[[Path], object]]] = {
    "everything but through.json is gone": lambda path: _remove(
        [file for file in path.iterdir() if file.name != "through.json"]
    ),
    "the folder is gone": lambda path: shutil.rmtree(path),
    "through.json is gone": lambda path: (path / "through.json").unlink(missing_ok=True),
    "through.json is garbled": lambda path: (path / "through.json").write_bytes(b"\xff{"),
    "through.json holds something else": lambda path: (path / "through.json").write_text("[1]"),
}
"""What opens as if nothing had been there."""
