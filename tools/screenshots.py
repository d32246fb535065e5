"""Show each page of the console on generated events in Chromium, and keep a picture of it.

``python tools/screenshots.py FOLDER`` writes ``PAGE.png`` for each page, with ``-`` for the slashes of its path, and
``flow-dark.png`` and ``flow-phone.png``. It needs the programs of ``./dev integration`` that show a page.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

TOKEN = "of-the-screenshots"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
COLORS = 64
"""Enough for text and charts of one page, and a third of the bytes."""
STEP_MS = 120_000


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with console(Path(scratch)) as url:
            take_all(browser, url, folder)
        browser.close()


@contextmanager
def console(folder: Path) -> Iterator[str]:
    """The URL of a console over an hour of generated events, and dead letters that a fix can repair."""
    own = {"LPA_DATA_DIR": str(folder / "data"), "LPA_CONSOLE_ADDRESS": "127.0.0.1:0", "LPA_CONSOLE_TOKEN": TOKEN}
    environment = {**os.environ, **own, "HEALTH_INTERVAL_SECONDS": "20", "LPA_LOG_FORMAT": "json"}

    def lpa(*arguments: str) -> None:
        subprocess.run(["lpa", *arguments], cwd=folder, env=environment, check=True, capture_output=True)

    more = ["--duplicates", "0.01", "--bad", "0.01", "--jobs", "0.1", "--seed", "1", "--until", "now"]
    lpa("generate", "--events", "5000", *more, "--output", "events.ndjson")
    lines = "".join(json.dumps(without_pipeline(number)) + "\n" for number in range(120))
    (folder / "gateway.ndjson").write_text(lines)
    for file in ("events.ndjson", "gateway.ndjson"):
        lpa("ingest", file)
    with subprocess.Popen(
        ["lpa", "console"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            yield json.loads(process.stderr.readline())["url"]
        finally:
            process.terminate()
            process.communicate(timeout=60)


def without_pipeline(number: int) -> dict[str, object]:
    """An event that lacks a required field."""
    data = {"state": "ONLINE", "stream_id": f"stream-{number % 7}", "request_id": f"request-{number}"}
    moment = time.time_ns() // 1_000_000
    return {"id": f"status-{number}", "type": "ai_stream_status", "timestamp": moment, "gateway": "g-1", "data": data}


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

    def content(path: str) -> dict[str, list[dict[str, str]]]:
        return dict(json.loads(view.request.get(f"{url}/{path}").text()))

    sessions = content("sessions.json")
    session, job = sessions["sessions"][0]["workflow_session_id"], sessions["jobs"][0]["job_id"]
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
    take(view, folder, "replay/job")


def take(view: Page, folder: Path, page: str) -> None:
    shot = Image.open(BytesIO(view.screenshot()))
    shot.convert("RGB").quantize(COLORS).save(folder / f"{page.replace('/', '-')}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
