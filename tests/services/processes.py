"""Child processes of tests: started, watched until they answer, and stopped by their own process ids."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, final

PATIENCE: Final = 120.0
"""Seconds that tests wait for what takes some ten on an idle machine."""


class ServiceError(Exception):
    """A server cannot be started. The message says which, and why."""


@final
class Server:
    """A child process that serves."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self._command, self._log = name, list(command), log
        self._cwd, self._environment = cwd, environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, answers: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Start, and wait until ``answers`` says so. Raises ServiceError."""
        with self._log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    cwd=self._cwd,
                    env=self._environment,
                )
            except OSError as error:
                raise ServiceError(f"{self.name} cannot be started: {self._command[0]}: {error.strerror}") from None
        deadline = time.monotonic() + seconds
        while not answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = self._log.read_text(errors="replace")[-2000:]
                raise ServiceError(f"{self.name} does not answer; the end of its log:\n{tail}")
            time.sleep(0.1)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, seconds: float = 15) -> None:
        """Ask it to end; kill it where it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it at once, the way a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
