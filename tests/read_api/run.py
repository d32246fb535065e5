"""Send thousands of requests to ``lpa serve``, those that its document allows and those that it forbids.

A database of generated events is made in a temporary folder, served with a token, and asked by schemathesis. What fails
is printed with a command that sends it again. LPA_SERVE_REQUESTS says how many requests there are at least.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lpa_core.generate.generator import generate
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_ops.read_api.app import read_api
from lpa_ops.read_api.database import StoredRows
from lpa_ops.read_api.routes import ROUTES
from lpa_ops.web.server import WebServer
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.readers import Readers

TOKEN = "a-token-for-requests"
HOUR_MS = 3_600_000
HOOKS = Path(__file__).with_name("hooks.py")


class Counted:
    """An application, and how many requests it answered with which status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.statuses: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses[message["status"]] += 1
            await send(message)

        await self._app(scope, receive, counted)


def main() -> int:
    wanted = int(os.environ.get("LPA_SERVE_REQUESTS", "10000"))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(lpa=ProcessSettings(data_dir=folder, plugins_required=("core", "sinks")))
        events = Path(folder, "events.ndjson")
        began = time.time_ns() // 1_000_000 - HOUR_MS
        events.write_bytes(
            b"\n".join(generate(3000, duplicates=0.0, bad=0.0, sessions=60, seed=1, start_ms=began)) + b"\n"
        )
        ingest(Job(str(events), [settings.lpa.data.database_uri], "memory://"), settings, PluginManager(settings))
        with closing(Readers(endpoint_of(None, settings), "", 60)) as readers:
            rows = StoredRows(readers, settings.clickhouse.database, 60)
            app = Counted(read_api(rows, TOKEN))
            server = WebServer(app, "127.0.0.1:0", name="read API", setting="LPA_SERVE_ADDRESS")
            serving = threading.Thread(target=server.run)
            serving.start()
            try:
                status = ask(server.url, wanted, folder, sys.argv[1:])
            finally:
                server.stop()
                serving.join()
    total = app.statuses.total()
    print(f"{total:,} requests: {', '.join(f'{count:,} of status {code}' for code, count in app.statuses.items())}")
    if total < wanted:
        print(f"there should be at least {wanted:,} requests")
    return status or int(total < wanted)


def ask(url: str, wanted: int, folder: str, arguments: list[str]) -> int:
    """Have schemathesis send requests, and keep its files in the folder; returns its exit status."""
    # A quarter more than wanted: some routes have fewer different requests than the others.
    program = os.environ.get("SCHEMATHESIS", str(Path(sys.executable).with_name("schemathesis")))
    command = [
        program, "run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}", "--mode", "all",
        "--max-examples", str(wanted * 5 // 4 // len(ROUTES)), "--workers", "2", "--continue-on-failure",
        "--request-timeout", "60", *arguments,
    ]  # fmt: skip
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HOOKS.parent)}
    return subprocess.run(command, env=environment, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
