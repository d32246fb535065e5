"""The processes of the cluster: each leads a process group, so that the Pythons of a task manager end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, final

import msgspec

_PYTHONS: Final = "pyflink"
"""In the command line of every Python that a task manager starts."""
_LOOK_AGAIN_SECONDS: Final = 0.1


@final
class ClusterProcess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A process that leads a group of its own; ``role`` is ``jobmanager`` or ``taskmanager``."""

    role: str
    pid: int


def start(role: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> ClusterProcess:
    """Start a process that outlives this one; what it prints goes to ``log``. Raises OSError."""
    pid = os.posix_spawn(
        command[0],
        [*command],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return ClusterProcess(role, pid)


def alive(process: ClusterProcess, folder: Path) -> bool:
    """Whether anything of its group is there. A process that got its number later does not count."""
    return bool(_members(process, folder))


def end(processes: Iterable[ClusterProcess], folder: Path, *, seconds: float) -> list[ClusterProcess]:
    """Ask the groups to end, kill after ``seconds`` what did not, and return what had to be killed.

    Waits for the death of all. ``folder`` is the cluster's: its processes name it in their command lines.
    """
    there = [each for each in processes if alive(each, folder)]
    _signal(there, signal.SIGTERM)
    _wait(lambda: not any(alive(each, folder) for each in there), seconds)
    killed = [each for each in there if alive(each, folder)]
    _signal(killed, signal.SIGKILL)
    _wait(lambda: not any(alive(each, folder) for each in killed), seconds)
    return killed


def _signal(processes: Iterable[ClusterProcess], number: int) -> None:
    for each in processes:
        with suppress(ProcessLookupError):
            os.killpg(each.pid, number)


def _members(process: ClusterProcess, folder: Path) -> list[int]:
    """Processes of the group that are the cluster's, without those that are dead and not yet waited for."""
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,pgid=,stat=,args="], capture_output=True, text=True, check=True)
    found = []
    for line in listed.stdout.splitlines():
        pid, group, state, command = (*line.split(None, 3), "")[:4]
        own = str(folder) in command or _PYTHONS in command or int(pid) != process.pid
        if int(group) == process.pid and own and not state.startswith("Z"):
            found.append(int(pid))
    return found


def _wait(done: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(_LOOK_AGAIN_SECONDS)
