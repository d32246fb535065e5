"""Show each page of the console on generated events in Chromium, and keep a picture of it.

``python tools/screenshots.py FOLDER`` writes ``PAGE.png`` for each page, with ``-`` for the slashes of its path, and
``flow-dark.png`` and ``flow-phone.png``. It needs the programs of ``./dev integration`` that show a page, and faketime:
the events of a day are stored as of a day, under a clock that is set back.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate.generator import timed
from lpa_core.generate.mixture import Mixture
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted

TOKEN = "of-the-screenshots"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
COLORS = 64
"""Enough for text and charts of one page, and a third of the bytes."""
STEP_MS = 120_000
QUARTERS = 96
QUARTER_MS = 900_000
PAUSE = 0.5
"""Seconds until a quarter of an hour is stored."""
FAILING = 3
"""In so many of the last quarters of an hour a gateway leaves a field out."""


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with console(Path(scratch)) as url:
            take_all(browser, url, folder)
        browser.close()


@contextmanager
def console(folder: Path) -> Iterator[str]:
    """The URL of a console over a day of generated events, and dead letters that a fix can repair."""
    own = {"LPA_DATA_DIR": str(folder / "data"), "LPA_CONSOLE_ADDRESS": "127.0.0.1:0", "LPA_CONSOLE_TOKEN": TOKEN}
    environment = {**os.environ, **own, "HEALTH_INTERVAL_SECONDS": "20", "LPA_LOG_FORMAT": "json"}

    store_a_day(folder, environment)
    with subprocess.Popen(
        ["lpa", "console"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            said = (json.loads(line) for line in process.stderr)
            yield next(line["url"] for line in said if "url" in line)
        finally:
            process.terminate()
            process.communicate(timeout=60)


def store_a_day(folder: Path, environment: Mapping[str, str]) -> None:
    """A quarter of an hour after the other, each stored when it has ended; the last ones from files."""
    clock = folder / "clock"
    library = subprocess.run(
        ["faketime", "-f", "+0", "printenv", "LD_PRELOAD"], check=True, capture_output=True, text=True
    )
    fake = {"LD_PRELOAD": library.stdout.strip(), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    told = {**environment, **fake, "CLICKHOUSE_SINK_MAX_TIME_MS": "100"}
    now = time.time_ns() // 1_000_000
    ends = [now - number * QUARTER_MS for number in reversed(range(QUARTERS))]

    def set_clock(end_ms: int) -> None:
        clock.with_suffix(".new").write_text(f"-{time.time() - end_ms / 1_000:.0f}")
        clock.with_suffix(".new").rename(clock)

    set_clock(ends[0])
    process = subprocess.Popen(
        ["lpa", "ingest", "-"], cwd=folder, env=told, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert process.stdin is not None
    for number, end_ms in enumerate(ends[:-FAILING]):
        set_clock(end_ms)
        process.stdin.writelines(quarter(number, end_ms))
        process.stdin.flush()
        time.sleep(PAUSE)
    process.stdin.close()
    assert process.wait(timeout=STEP_MS) == 0
    for number, end_ms in enumerate(ends[-FAILING:]):
        failing = [without_pipeline(40 * number + i, end_ms) for i in range(40)]
        for name, lines in (("events", quarter(QUARTERS - FAILING + number, end_ms)), ("gateway", failing)):
            file = folder / f"{name}.ndjson"
            with file.open("ab") as written:
                written.writelines(lines)
            os.utime(file, (end_ms / 1_000, end_ms / 1_000))
            set_clock(end_ms)
            subprocess.run(["lpa", "ingest", file.name], cwd=folder, env=told, check=True, capture_output=True)


def quarter(number: int, end_ms: int) -> Iterator[bytes]:
    """What arrives in a quarter of an hour, more of it in the evening; a few records are bad, as everywhere."""
    hour = time.gmtime(end_ms / 1_000).tm_hour
    events = round(90 + 60 * math.cos((hour - 20) / 12 * math.pi))
    bad = 0.01 if number % 4 == 0 else 0.0
    shares = Mixture(events=events, duplicates=0.01, bad=bad, jobs=0.1, sessions=4, seed=number + 1)
    pipeline = Pipeline(BUILTIN_EVENT_TYPES)
    for moment, record in timed(shares, end_ms - QUARTER_MS + 60_000):
        verdict = pipeline.validate(record)
        alike = not isinstance(verdict, Accepted) and b"ai_stream_status" in record
        if moment < end_ms and not alike:
            yield record + b"\n"


def without_pipeline(number: int, moment: int) -> bytes:
    """An event that lacks a required field."""
    data = {"state": "ONLINE", "stream_id": f"stream-{number % 7}", "request_id": f"request-{number}"}
    event = {"id": f"status-{number}", "type": "ai_stream_status", "timestamp": moment, "gateway": "g-1", "data": data}
    return json.dumps(event).encode() + b"\n"


def take_all(browser: Browser, url: str, folder: Path) -> None:
    view = browser.new_context(viewport=WIDE, color_scheme="light").new_page()
    view.goto(f"{url}/login")
    view.locator("#token").fill(TOKEN)
    view.locator("#token").press("Enter")
    view.locator(".chart canvas").first.wait_for()
    view.goto(f"{url}/health")
    view.locator("article#dlq_rate").wait_for(timeout=STEP_MS)
    take(view, folder, "health")
    view.goto(f"{url}/flow")
    view.locator(".chart canvas").first.wait_for()
    take(view, folder, "flow")
    replayed(view, url, folder)

    def content(path: str) -> dict[str, list[dict[str, Any]]]:
        return dict(json.loads(view.request.get(f"{url}/{path}").text()))

    sessions = content("sessions.json")
    telling = max(sessions["sessions"], key=lambda session: (session["swaps"], session["signals"]))
    session, job = telling["workflow_session_id"], sessions["jobs"][0]["job_id"]
    run = content("replay.json")["runs"][0]["replay_id"]
    addresses = {
        "failures": "failures",
        "failures/record": f"failures/record?at={quote('gateway.ndjson/0/7', safe='')}",
        "replay": "replay?since=1h",
        "replay/run": f"replay/run?id={run}",
        "sessions": "sessions",
        "sessions/session": f"sessions/session?id={quote(session)}",
        "sessions/job": f"sessions/job?id={quote(job)}",
        "trace": "trace?of=status-7",
        "data": "data",
        "data/table": "data/table?name=streaming_events",
    }
    for page, address in addresses.items():
        view.goto(f"{url}/{address}")
        take(view, folder, page)
    view.goto(f"{url}/query")
    sql = "SELECT failure_reason, count() AS records FROM streaming_events_dlq GROUP BY 1 ORDER BY 2 DESC"
    view.locator("#sql").fill(sql)
    view.locator("button", has_text="Run").click()
    view.locator("table").first.wait_for()
    take(view, folder, "query")
    cookies = view.context.cookies()
    for name, size, scheme in (("flow-dark", WIDE, "dark"), ("flow-phone", PHONE, "light")):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        context.add_cookies(cookies)
        other = context.new_page()
        other.goto(f"{url}/flow")
        other.locator(".chart canvas").first.wait_for()
        take(other, folder, name)


def replayed(view: Page, url: str, folder: Path) -> None:
    """Repair and replay the dead letters; a picture of the repair, and one after the verification."""
    view.goto(f"{url}/failures/repair?reason=missing_field&type=ai_stream_status")
    document = json.loads(view.locator("#payload").input_value())
    document["data"]["pipeline"] = "live-video-to-video"
    view.locator("#payload").fill(json.dumps(document, indent=2))
    view.locator("#verdicts tbody tr", has_text="passes").first.wait_for()
    take(view, folder, "failures/repair")
    view.locator("button", has_text="Plan").click()
    for step in ("canary", "run", "verify"):
        while not view.locator(f"#{step}.done").count():  # a step that the console kept waiting is started again
            view.locator(f"#start-{step}").click(timeout=STEP_MS)
            view.locator(f"#{step}.done, #{step}.failed").wait_for(timeout=STEP_MS)
    view.locator("#verify .state.ok").wait_for(timeout=STEP_MS)  # the check is asked again
    take(view, folder, "replay/job")


def take(view: Page, folder: Path, page: str) -> None:
    shot = Image.open(BytesIO(view.screenshot()))
    shot.convert("RGB").quantize(COLORS).save(folder / f"{page.replace('/', '-')}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
