"""A person with a browser at `lpa console`, who repairs and replays records by mouse or by keyboard alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

import attrs

from services.preloaded import preloaded_lpa

TOKEN: Final = "0123456789abcdef"
WIDE: Final = {"width": 1280, "height": 800}
STEP_MS: Final = 120_000
HOSTILE: Final = '</textarea><script>window.hit = 1</script><img src=x onerror="window.hit = 1">\u202e'
FIX: Final = """[[fix]]
class = "SCHEMA_INVALID"
reason = "missing_field"
where = [{ path = "data.pipeline", missing = true }]
steps = [{ set = "data.pipeline", value = "live-video-to-video" }]
"""


def without_pipeline(number: int) -> bytes:
    """A record that lacks ``data.pipeline``, with text that would break a page that believed it."""
    data = {"state": "ONLINE", "stream_id": "s", "request_id": "r", "message": HOSTILE}
    now = time.time_ns() // 1_000_000
    return json.dumps({"id": f"e{number}", "type": "ai_stream_status", "timestamp": now, "data": data}).encode()


@contextmanager
def console(folder: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """The URL of a console that a person has to log in to."""
    with console_process(folder, *arguments, **environment) as (url, _):
        yield url


@contextmanager
def console_process(folder: Path, *arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    own = {"LPA_CONSOLE_ADDRESS": "127.0.0.1:0", "LPA_CONSOLE_TOKEN": TOKEN, "HEALTH_INTERVAL_SECONDS": "5"}
    with subprocess.Popen(
        [preloaded_lpa(), "console", *arguments],
        env={**os.environ, **environment, **own, "LPA_LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        try:
            assert process.stderr
            yield json.loads(process.stderr.readline())["url"], process
        finally:
            process.terminate()
            process.communicate(timeout=60)


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

    def visit(self, address: str) -> None:
        answer = self.view.goto(address)
        assert answer.status == 200, self.view.inner_text("body")

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


def from_red_to_green(person: Person, url: str, until_arrived: Callable[[], None] = lambda: None) -> None:
    """Health, records, repair, plan, canary, the rest, verification: the clicks of a person who has logged in.

    ``until_arrived`` waits until records that are sent into a topic are stored.
    """
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
    view.locator("#start-verify").wait_for(timeout=STEP_MS)
    until_arrived()
    person.choose(view.locator("#start-verify"))
    view.get_by_text("Every check passes.").wait_for(timeout=STEP_MS)
    accessible(view)
    assert view.locator(".step.done").count() == 4
    person.visit(f"{url}/health")
    until_shown(view, "tr#dlq_rate .state.ok")


def red(view: Any, url: str) -> None:
    view.goto(f"{url}/health")
    until_shown(view, "article#dlq_rate")


def until_shown(view: Any, selector: str) -> None:
    """Wait for a round of the checks that finds it, and refresh the page sooner than it does itself."""

    def shown() -> bool:
        view.evaluate("refresh('*')")
        view.wait_for_timeout(500)
        return bool(view.locator(selector).count())

    until(shown)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STEP_MS / 1000
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def plan(person: Person, url: str) -> None:
    """Plan a replay that sets what records lack, from the page Repair."""
    person.log_in(url)
    person.visit(f"{url}/failures/repair?reason=missing_field")
    person.view.locator("#fix").fill(FIX)
    person.choose(person.view.locator("button", has_text="Plan"))
    person.view.locator("#start-canary").wait_for(timeout=STEP_MS)
