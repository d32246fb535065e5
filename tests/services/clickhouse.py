"""ClickHouse over HTTP: the front over chDB as a process of its own, so that several workers share one database.

A server's binary cannot be had from package registries. ``python -m services.clickhouse PORT FOLDER`` runs one; faults
are told on its standard input, a JSON object a line.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, final

import attrs
import clickhouse_connect
from clickhouse_connect.driver.client import Client

from lpa_core.testing.ports import free_port
from lpa_sinks.testing.http_front import PASSWORD, USER, Fault, Front
from services.processes import ServiceError


@final
class ClickHouseServer:
    """A database that survives the death of its process."""

    user, password = USER, PASSWORD

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="clickhouse-"))
        self.data = self._folder / "data"
        """Where an embedded engine has the same database, while this process is ended."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "services.clickhouse", str(self.port), str(self.data)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            raise ServiceError(f"the ClickHouse front does not start: {(self._folder / 'log').read_text()[-2000:]}")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def tell(self, fault: Fault, times: int = 1) -> None:
        """Have the next statements that it is about go wrong."""
        assert self._process is not None
        assert self._process.stdin is not None
        line = json.dumps({"times": times, **attrs.asdict(fault)}) + "\n"
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()

    def forget_faults(self) -> None:
        self.tell(Fault(""), times=0)

    def client(self) -> Client:
        return clickhouse_connect.get_client(
            host="127.0.0.1", port=self.port, username=USER, password=PASSWORD, autogenerate_session_id=False
        )

    def kill(self) -> None:
        """End it at once, the way a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def main() -> None:
    front = Front(Path(sys.argv[2]), int(sys.argv[1]))
    with front.serving():
        print("ready", flush=True)
        for line in sys.stdin:
            told: dict[str, Any] = json.loads(line)
            times = told.pop("times")
            if not times:
                front.faults.clear()
            front.faults += [Fault(**told)] * times


if __name__ == "__main__":
    main()
