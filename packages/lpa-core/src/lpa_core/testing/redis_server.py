"""A real Redis server for tests."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Self, final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ConnectionError
from redis.retry import Retry

from lpa_core.testing.ports import free_port


@final
class RedisServer:
    """A redis-server process on a free port of the loopback interface, for a with statement.

    Args:
        folder: where it keeps its log, and its data if an option says so.
        options: further words of its command line.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder, self._options = folder, options
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError if redis-server is missing or does not start."""
        binary = shutil.which("redis-server")
        if binary is None:
            raise RuntimeError("this test needs redis-server: apt-get install redis-server")
        command = [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen([*command, *self._options], stdout=log, stderr=log)
        while not self._answers():
            if self._process.poll() is not None:
                raise RuntimeError(f"redis-server does not start: {(self._folder / 'redis.log').read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it, by its process; no effect where it is stopped."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def memory(self) -> int:
        """Bytes that its data takes."""
        with Redis(port=self.port) as client:
            return int(client.info("memory")["used_memory"])

    def _answers(self) -> bool:
        with Redis(port=self.port, retry=Retry(NoBackoff(), 0)) as client:
            try:
                client.execute_command("ECHO", "ready")
            except AuthenticationError:
                return True
            except ConnectionError:
                return False
            return True
