"""``lpa`` as a process of its own, without the time that a start takes: forked off a process that has the libraries."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, final

from services.preloaded import LPA, Fork

_FOR_EVER: Final = 86_400.0


@final
class ForkedLpa:
    """A running command, with what tests use of a ``Popen``. Its output goes to the end of a file."""

    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path) -> None:
        self._command = [LPA, *arguments]
        with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
            streams = (nothing.fileno(), output.fileno(), output.fileno())
            self._fork = Fork(arguments, folder, environment, streams)
        self._status: int | None = None

    @property
    def pid(self) -> int:
        return self._fork.process.number

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        if self._status is None and select.select([self._fork], [], [], 0)[0]:
            self._status = self._fork.wait(_FOR_EVER)
        return self._status

    def wait(self, seconds: float = _FOR_EVER) -> int:
        """The exit status. Raises subprocess.TimeoutExpired."""
        if self.poll() is None and not select.select([self._fork], [], [], seconds)[0]:
            raise subprocess.TimeoutExpired(self._command, seconds)
        status = self.poll()
        assert status is not None
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            self._fork.process.send(number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
