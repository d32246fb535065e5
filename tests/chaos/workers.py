"""Worker processes that are killed, stopped, and replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import final

from lpa_core.testing.ports import free_port

SESSION_SECONDS = 6
SETTINGS = {
    "LPA_KAFKA_SESSION_TIMEOUT_MS": str(SESSION_SECONDS * 1000),
    "LPA_KAFKA_HEARTBEAT_INTERVAL_MS": "1000",
    "CLICKHOUSE_SINK_MAX_BATCH_SIZE": "200",
    "CLICKHOUSE_SINK_MAX_TIME_MS": "300",
    "CLICKHOUSE_SINK_TIMEOUT_SECONDS": "3",
    "LPA_LOG_FORMAT": "json",
    "LPA_STOP_SECONDS": "10",
    "HEALTH_INTERVAL_SECONDS": "0",
}


@final
class WorkerProcess:
    """One worker. A restarted one finds its data folder as the one before left it."""

    def __init__(self, name: str, folder: Path, settings: Mapping[str, str], sink: str, dedup: str) -> None:
        self.name, self._settings, self._sink, self._dedup = name, settings, sink, dedup
        self._folder = folder / name
        self._folder.mkdir()
        self.log = self._folder / "log"
        self.clock = self._folder / "clock"
        """By how many seconds its clock is wrong; it is right where there is no such file."""
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.frozen_until: float | None = None
        self._asked_to_end = False

    def start(self, step: str = "none", number: int = 0) -> None:
        environment = {
            **os.environ,
            **SETTINGS,
            **self._settings,
            "LPA_CHAOS_CLOCK": str(self.clock),
            "LPA_DATA_DIR": str(self._folder / "data"),
            "LPA_ADMIN_ADDRESS": f"127.0.0.1:{self._port}",
        }
        script = Path(__file__).with_name("worker.py")
        dedup = self._dedup or f"rocksdb://{self._folder / 'data' / 'dedup'}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(script), step, str(number), self._sink, dedup],
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self._folder,
            )
        self.frozen_until = None
        self._asked_to_end = False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def ask_to_end(self) -> None:
        """Send SIGTERM once: a second one ends it in the middle of its work."""
        if not self._asked_to_end:
            self._asked_to_end = True
            self.signal(signal.SIGTERM)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def stop(self, seconds: float = 60) -> int:
        """Ask it to end; answer its exit status."""
        self.signal(signal.SIGCONT)
        self.ask_to_end()
        assert self._process is not None
        return self._process.wait(seconds)
