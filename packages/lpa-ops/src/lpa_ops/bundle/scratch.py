"""Folders that a command needs while it runs, and that do not outlive it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from lpa_core.savepoints import SavepointError
from lpa_core.settings.settings import Settings

_OWNED: Final = "owner.lock"
"""In each folder: locked while its process lives."""


@contextmanager
def scratch_folder(settings: Settings) -> Iterator[Path]:
    """A folder on the file system of the claims, so that they can be moved; gone at the end.

    Those of processes that were killed go first. Raises SavepointError.
    """
    root = settings.lpa.data.scratch
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root):
            for folder in root.iterdir():
                if not _is_owned(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            made = Path(tempfile.mkdtemp(dir=root))
            owned = _lock(made)
    except OSError as error:
        raise SavepointError(
            f"{error.filename or root} cannot be written: {error.strerror}; make it writable or set LPA_DATA_DIR"
        ) from None
    try:
        yield made
    finally:
        # What cannot be removed now is removed by whoever comes next.
        shutil.rmtree(made, ignore_errors=True)
        owned.close()


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Nobody else makes a folder meanwhile: one that is not locked yet would be taken for a dead process's."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _lock(folder: Path) -> IO[bytes]:
    file = (folder / _OWNED).open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _is_owned(folder: Path) -> bool:
    try:
        _lock(folder).close()
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
