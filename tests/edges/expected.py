"""How each command ends if nothing is in its way, and what no command may ever print."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, final

from edges.ground import Ended, Ground

STATUSES: Final = {0, 1, 2, 130}
FAULTS: Final = ("Traceback", "Exception ignored", "fault in lpa", "Fatal Python error", "<Fatal>", "core dumped")


class Expected(NamedTuple):
    """The status, whether standard output gets anything, and for how long the command's own code runs."""

    status: int
    prints: bool
    seconds: float


@final
class Undisturbed:
    """Runs each command once for all processes of a test run."""

    def __init__(self, ground: Ground, shared: Path) -> None:
        self._ground, self._shared = ground, shared

    def __call__(self, line: str) -> Expected:
        file = self._shared / f"{sha256(line.encode()).hexdigest()[:16]}.json"
        with locked(file):
            if not file.exists():
                self._ground.put_back()
                ended = self._ground.run(line)
                assert_clean(ended)
                file.write_text(json.dumps([ended.status, bool(ended.out), ended.seconds]))
            return Expected(*json.loads(file.read_text()))


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Keep other processes from making the same file."""
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def assert_clean(ended: Ended, *, silent: bool = False) -> None:
    """One of the four statuses, at most one line beside the log, and nothing of Python's or the engine's own.

    Args:
        silent: nobody can read why it ends.
    """
    assert ended.status in STATUSES, ended
    assert not [fault for fault in FAULTS if fault in ended.err], ended.err
    assert len(ended.said) <= 1, ended.err
    assert silent or ended.status == 0 or ended.said or ended.out, "it says why it ends"
