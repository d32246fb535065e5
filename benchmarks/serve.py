"""How long each route of the read API takes over days of sessions in chDB, by HTTP, with one client.

The sessions are those of the benchmark "views", beside jobs. "processor": what all processors did for a request, on
average; it says more than the time where the machine has other work.

    ./dev bench serve [--days N] [--sessions N] [--jobs N] [--samples N] [--rounds N]
"""

from __future__ import annotations

import argparse
import http.client
import platform
import tempfile
import threading
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from days.database import DATABASE, DAY
from days.fill import console, fill
from rich import box
from rich.table import Table

from lpa_ops.read_api.app import read_api
from lpa_ops.read_api.database import StoredRows
from lpa_ops.read_api.routes import ROUTES
from lpa_ops.web.server import WebServer
from lpa_sinks.clickhouse.client import connect, endpoint
from lpa_sinks.clickhouse.readers import Readers
from lpa_sinks.schema.apply import apply


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--sessions", type=int, default=5_000, help="sessions a day")
    parser.add_argument("--jobs", type=int, default=20_000, help="jobs a day")
    parser.add_argument("--samples", type=int, default=30, help="status samples a session, one every 10 seconds")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        to = endpoint(f"chdb://{Path(folder) / 'clickhouse'}", database=DATABASE, user="")
        today = int(time.time()) // DAY * DAY
        with closing(connect(to)) as client:
            apply(client, DATABASE, [])
            fill(client, today, arguments.days, arguments.sessions, arguments.samples, arguments.jobs)
        with closing(Readers(to, "", 300)) as readers:
            # As of the end of the last day, less what lets its last hour be under way.
            app = read_api(StoredRows(readers, DATABASE, 300), "", lambda: (today - 60) * 1000)
            server = WebServer(app, "127.0.0.1:0", name="read API", setting="LPA_SERVE_ADDRESS")
            serving = threading.Thread(target=server.run)
            serving.start()
            try:
                routes(server.url, arguments.rounds)
            finally:
                server.stop()
                serving.join()
    console.print(f"{platform.machine()}, Python {platform.python_version()}, chdb-core {version('chdb-core')}")


def routes(url: str, rounds: int) -> None:
    table = Table(title="A request: ms", box=box.SIMPLE)
    for name in ("route", "bytes", "median", "longest", "processor"):
        table.add_column(name, justify="left" if name == "route" else "right", no_wrap=True)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
    windows = ("?limit=1000", "?start=7d", "?start=30d")
    queries = [route.path + query for route in ROUTES for query in ("", *(windows if route.paged else ()))]
    for query in [*queries, "dashboard/kpi?window=7d"]:
        times, size = [], 0
        busy = time.process_time()
        for _ in range(rounds + 1):
            began = time.perf_counter()
            connection.request("GET", f"/v1/{query}")
            answer = connection.getresponse()
            size = len(answer.read())
            times.append((time.perf_counter() - began) * 1000)
            assert answer.status == 200, query
        busy = (time.process_time() - busy) * 1000 / (rounds + 1)
        table.add_row(query, f"{size:,}", f"{median(times[1:]):.0f}", f"{max(times[1:]):.0f}", f"{busy:.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
