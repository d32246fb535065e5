"""From a red check to green again in the console: six clicks and one edit, and the same by keyboard alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

import attrs
import pytest

from lpa_core.generate.generator import generate

TOKEN: Final = "0123456789abcdef"
WIDE: Final = {"width": 1280, "height": 800}
STEP_MS: Final = 120_000
HOSTILE: Final = '</textarea><script>window.hit = 1</script><img src=x onerror="window.hit = 1">\u202e'


def without_pipeline(number: int) -> bytes:
    """A record that lacks ``data.pipeline``, with text that would break a page that believed it."""
    data = {"state": "ONLINE", "stream_id": "s", "request_id": "r", "message": HOSTILE}
    now = time.time_ns() // 1_000_000
    return json.dumps({"id": f"e{number}", "type": "ai_stream_status", "timestamp": now, "data": data}).encode()


@contextmanager
def console(folder: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """The URL of a console that a person has to log in to."""
    own = {"LPA_CONSOLE_ADDRESS": "127.0.0.1:0", "LPA_CONSOLE_TOKEN": TOKEN, "HEALTH_INTERVAL_SECONDS": "5"}
    with subprocess.Popen(
        ["lpa", "console", *arguments],
        env={**os.environ, **environment, **own, "LPA_LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        try:
            assert process.stderr
            yield json.loads(process.stderr.readline())["url"]
        finally:
            process.terminate()
            process.communicate(timeout=60)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an embedded database of generated events."""
    folder = tmp_path_factory.mktemp("replay")
    events = [*generate(2000, duplicates=0, bad=0, sessions=20, seed=3)]
    (folder / "events.ndjson").write_bytes(b"\n".join(events) + b"\n")
    ingest(folder, "events.ndjson")
    return folder


def ingest(folder: Path, file: str) -> None:
    environment = {**os.environ, "LPA_DATA_DIR": str(folder / "data")}
    subprocess.run(["lpa", "ingest", file], cwd=folder, env=environment, check=True, capture_output=True)


def ingest_bad(folder: Path, first: int) -> None:
    """60 records that lack a field."""
    (folder / f"bad{first}.ndjson").write_bytes(b"".join(without_pipeline(first + n) + b"\n" for n in range(60)))
    ingest(folder, f"bad{first}.ndjson")


@final
@attrs.define
class Person:
    """Clicks and counts the clicks, or presses Tab and Enter instead."""

    view: Any
    keyboard_alone: bool = False
    clicks: int = 0

    def log_in(self, url: str) -> None:
        self.view.goto(f"{url}/login")
        self.view.locator("#token").fill(TOKEN)
        self.view.locator("#token").press("Enter")
        self.view.wait_for_url(re.compile("/flow$"))

    def choose(self, target: Any) -> None:
        target.wait_for(timeout=STEP_MS)
        self.clicks += 1
        if not self.keyboard_alone:
            target.click()
            return
        self.reach(target)
        self.view.keyboard.press("Enter")

    def edit(self, place: Any, text: str) -> None:
        if self.keyboard_alone:
            self.reach(place)
        else:
            place.focus()  # a click into the text is part of the edit
        self.view.keyboard.press("Control+A")
        self.view.keyboard.insert_text(text)

    def reach(self, target: Any) -> None:
        for _ in range(400):
            if target.evaluate("each => each === document.activeElement"):
                return
            self.view.keyboard.press("Tab")
        raise AssertionError(f"no key reaches {target}")


def accessible(view: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(view).response["violations"]
    serious = [
        (each["id"], [node["html"][:120] for node in each["nodes"][:2]])
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == [], view.url
    assert view.evaluate("window.hit") is None


def from_red_to_green(person: Person, url: str) -> None:
    """Health, records, repair, plan, canary, the rest, verification: the clicks of a person who has logged in."""
    view = person.view
    red(view, url)
    person.choose(view.locator("#dlq_rate a", has_text="the dead letters"))
    person.choose(view.locator("tr", has_text="missing_field").locator("a", has_text="Repair"))
    payload = view.locator("#payload")
    document = json.loads(payload.input_value())
    document["data"]["pipeline"] = "live-video-to-video"
    person.edit(payload, json.dumps(document, indent=2))
    view.locator("#verdicts tbody tr").nth(5).get_by_text("passes").wait_for(timeout=STEP_MS)
    accessible(view)
    person.choose(view.locator("button", has_text="Plan"))
    person.choose(view.locator("#start-canary"))
    person.choose(view.locator("#start-run"))
    person.choose(view.locator("#start-verify"))
    view.get_by_text("Every check passes.").wait_for(timeout=STEP_MS)
    accessible(view)
    assert view.locator(".step.done").count() == 4
    view.goto(f"{url}/health")
    view.locator("tr#dlq_rate .state.ok").wait_for(timeout=STEP_MS)


def red(view: Any, url: str) -> None:
    view.goto(f"{url}/health")
    view.locator("article#dlq_rate").wait_for(timeout=STEP_MS)


@pytest.mark.parametrize("keyboard_alone", [False, True], ids=["mouse", "keyboard alone"])
def test_from_red_to_green_in_six_clicks_and_one_edit(data: Path, chromium: Any, keyboard_alone: bool) -> None:
    ingest_bad(data, 1_000 * keyboard_alone)
    with console(data, LPA_DATA_DIR=str(data / "data")) as url:
        context = chromium.new_context(viewport=WIDE)
        person = Person(context.new_page(), keyboard_alone)
        troubles: list[str] = []
        person.view.on("pageerror", lambda error: troubles.append(str(error)))
        person.log_in(url)
        from_red_to_green(person, url)
        assert person.clicks <= 6
        assert troubles == []
        person.view.goto(f"{url}/replay")
        assert (
            person.view.locator("table", has_text="History").locator("tbody tr").first.get_by_text("verified").count()
        )
        accessible(person.view)
        person.view.locator("table", has_text="History").locator("tbody a").first.click()
        accessible(person.view)
        context.close()


def test_without_scripts_a_button_judges(data: Path, chromium: Any) -> None:
    ingest_bad(data, 7_000)
    with console(data, LPA_DATA_DIR=str(data / "data")) as url:
        context = chromium.new_context(viewport=WIDE, java_script_enabled=False)
        person = Person(context.new_page())
        person.log_in(url)
        person.view.goto(f"{url}/failures/repair?reason=missing_field")
        person.view.locator("#payload").fill("{}")
        person.view.locator("button", has_text="Judge").click()
        assert "remove" in person.view.locator("#fix").input_value()
        assert "Without scripts" in person.view.locator("noscript .note").inner_text()
        person.view.goto(f"{url}/replay")
        assert person.view.locator("#figures").count() == 1
        context.close()


def test_a_window_is_dragged_over_the_time_axis(data: Path, chromium: Any) -> None:
    with console(data, LPA_DATA_DIR=str(data / "data")) as url:
        context = chromium.new_context(viewport=WIDE)
        person = Person(context.new_page())
        person.log_in(url)
        person.view.goto(f"{url}/replay")
        before = person.view.locator("#since").input_value()
        area = person.view.locator(".chart .u-over").bounding_box()
        assert area
        mouse, y = person.view.mouse, area["y"] + area["height"] / 2
        mouse.move(area["x"] + area["width"] / 4, y)
        mouse.down()
        mouse.move(area["x"] + area["width"] / 2, y, steps=5)
        mouse.up()
        since, until = person.view.locator("#since").input_value(), person.view.locator("#until").input_value()
        assert before[:10] < since < until or before < since < until
        person.view.locator("button", has_text="Show").click()
        assert person.view.locator("#since").input_value().replace("T", " ") == since.replace("T", " ")
        context.close()
