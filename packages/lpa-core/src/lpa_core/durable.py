"""Files that are whole or absent, also after a crash or a power failure."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

TEMPORARY: Final = ".tmp"
"""Ends the name of a file that is being written."""


def write_file(path: Path, chunks: Iterable[bytes]) -> int:
    """Write the file, replacing an older one, and answer its size. Durable after return. Raises OSError."""
    temporary = path.with_name(path.name + TEMPORARY)
    with temporary.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
        size = file.tell()
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
    return size


def sync_folder(path: Path) -> None:
    """Make what was renamed or removed in a folder last."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
