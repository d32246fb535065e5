"""Files that are whole or absent, also after a crash or a power failure."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

TEMPORARY: Final = ".tmp"
"""Ends the name of a file that is being written."""


def write_file(path: Path, chunks: Iterable[bytes], *, private: bool = False) -> int:
    """Write the file, replacing an older one, and answer its size. Durable after return. Raises OSError.

    Nobody but the user can read a ``private`` one.
    """
    temporary = path.with_name(path.name + TEMPORARY)

    def create(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600 if private else 0o666)

    with open(temporary, "wb", opener=create) as file:
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
