"""Who opens an embedded database next: a process that needs it for itself comes before those that only read.

The lock is a file in the database's folder. A process that needs the database holds it shared, from before it asks a
reader to give way until the engine has the database open. A reader holds it alone, from before it opens the database
until it listens to such questions.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

NAME: Final = "lpa-opening.lock"
_WAIT_SECONDS: Final = 30
"""How long a process waits for a reader that is opening the database. A frozen one is in the way of nobody after it."""
_LOOK_AGAIN_SECONDS: Final = 0.02


@contextmanager
def needed(folder: Path) -> Iterator[None]:
    """Keep readers from opening the database in the folder, once one that is opening it has done so."""
    with _descriptor(folder) as descriptor:
        deadline = time.monotonic() + _WAIT_SECONDS
        while not _is_locked(descriptor, fcntl.LOCK_SH) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_SECONDS)
        yield


@contextmanager
def opened_by_a_reader(folder: Path) -> Iterator[bool]:
    """Whether a reader may open the database in the folder: nobody needs it, and no other reader is opening it."""
    with _descriptor(folder) as descriptor:
        yield _is_locked(descriptor, fcntl.LOCK_EX)


@contextmanager
def _descriptor(folder: Path) -> Iterator[int | None]:
    """None if the folder cannot hold the file: the process that opens the database there says why."""
    descriptor: int | None = None
    with suppress(OSError):
        descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _is_locked(descriptor: int | None, kind: int) -> bool:
    if descriptor is None:
        return True
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: the engine says so when it locks its own file
        return True
    return True
