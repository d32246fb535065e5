"""From a red check to green again in the console: six clicks and one edit, and the same by keyboard alone."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from services.console import (
    STEP_MS,
    WIDE,
    Person,
    accessible,
    console,
    console_process,
    from_red_to_green,
    plan,
    until,
    without_pipeline,
)
from services.preloaded import preloaded_lpa

from lpa_core.generate.generator import generate
from lpa_sinks.clickhouse import opening_lock
from lpa_sinks.clickhouse.embedded import holder_of


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an embedded database of generated events."""
    folder = tmp_path_factory.mktemp("replay")
    events = [*generate(2000, duplicates=0, bad=0, sessions=20, seed=3)]
    (folder / "events.ndjson").write_bytes(b"\n".join(events) + b"\n")
    ingest(folder, "events.ndjson")
    return folder


@pytest.fixture(scope="module")
def url(data: Path) -> Iterator[str]:
    """Of a console over it that asks for a token."""
    with console(data, LPA_DATA_DIR=str(data / "data")) as url:
        yield url


def ingest(folder: Path, file: str) -> None:
    environment = {**os.environ, "LPA_DATA_DIR": str(folder / "data")}
    subprocess.run([preloaded_lpa(), "ingest", file], cwd=folder, env=environment, check=True, capture_output=True)


def ingest_bad(folder: Path, first: int) -> None:
    """60 records that lack a field."""
    (folder / f"bad{first}.ndjson").write_bytes(b"".join(without_pipeline(first + n) + b"\n" for n in range(60)))
    ingest(folder, f"bad{first}.ndjson")


@pytest.mark.parametrize("keyboard_alone", [False, True], ids=["mouse", "keyboard alone"])
def test_from_red_to_green_in_six_clicks_and_one_edit(
    data: Path, url: str, chromium: Any, keyboard_alone: bool
) -> None:
    ingest_bad(data, 1_000 * keyboard_alone)
    context = chromium.new_context(viewport=WIDE)
    person = Person(context.new_page(), keyboard_alone)
    troubles: list[str] = []
    person.view.on("pageerror", lambda error: troubles.append(str(error)))
    person.log_in(url)
    from_red_to_green(person, url)
    assert person.clicks <= 6
    assert troubles == []
    person.visit(f"{url}/replay")
    assert person.view.locator("table", has_text="History").locator("tbody tr").first.get_by_text("verified").count()
    accessible(person.view)
    person.view.locator("table", has_text="History").locator("tbody a").first.click()
    accessible(person.view)
    context.close()


@contextmanager
def database_held(folder: Path) -> Iterator[None]:
    """By an ingestion that waits for more from its standard input, and gives way to nobody."""
    environment = {**os.environ, "LPA_DATA_DIR": str(folder / "data")}
    with subprocess.Popen(
        ["lpa", "ingest", "-"], cwd=folder, env=environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as ingestion:
        until(lambda: holder_of(folder / "data" / "clickhouse") == f"process {ingestion.pid}")
        yield
        ingestion.communicate(b"")


def test_a_step_without_the_database_says_so_and_is_started_again(data: Path, url: str, chromium: Any) -> None:
    ingest_bad(data, 2_000)
    person = Person(chromium.new_page(viewport=WIDE))
    plan(person, url)
    with database_held(data):
        person.choose(person.view.locator("#start-canary"))
        person.view.locator("#canary.failed").wait_for(timeout=STEP_MS)
        assert "the embedded database is open in process" in person.view.locator("#canary").inner_text()
        assert "again" in person.view.locator("#start-canary").inner_text()
    person.choose(person.view.locator("#start-canary"))
    person.view.locator("#canary.done").wait_for(timeout=STEP_MS)
    person.view.close()


def run_process(folder: Path) -> int:
    """The id of the `lpa replay run` that a console started, for a canary or for the rest."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (place / "cmdline").read_bytes().split(b"\0")
            if {b"replay", b"run"} <= {*words} and place.joinpath("cwd").readlink() == folder:
                return int(place.name)
    raise AssertionError("no process of the step")


@pytest.mark.parametrize(("step", "next_step"), [("canary", "run"), ("run", "verify")])
def test_a_step_outlives_its_console_and_another_shows_it_to_its_end(
    data: Path, url: str, chromium: Any, step: str, next_step: str
) -> None:
    ingest_bad(data, 3_000 + 1_000 * (step == "run"))
    person = Person(chromium.new_page(viewport=WIDE))
    with console_process(data, LPA_DATA_DIR=str(data / "data")) as (first, process):
        plan(person, first)
        path = person.view.url.removeprefix(first)
        if step == "run":
            person.choose(person.view.locator("#start-canary"))
            person.view.locator("#start-run").wait_for(timeout=STEP_MS)
        with (data / "data" / "clickhouse" / opening_lock.NAME).open("w") as lock:  # so the step waits to be stopped
            fcntl.flock(lock, fcntl.LOCK_EX)
            person.choose(person.view.locator(f"#start-{step}"))
            person.view.locator(f"#{step}[data-running]").wait_for(timeout=STEP_MS)
            stopped = run_process(data)
            os.kill(stopped, signal.SIGSTOP)
        process.kill()
    try:
        person.log_in(url)
        person.view.clock.install()
        person.visit(f"{url}{path}")
        assert person.view.locator(f"#{step}[data-running]").count() == 1
        with person.view.expect_response(re.compile("/replay/job"), timeout=STEP_MS):
            person.view.clock.run_for(2_000)  # other pages are refreshed every 15 seconds
        os.kill(stopped, signal.SIGCONT)
        person.view.locator(f"#start-{next_step}").wait_for(timeout=STEP_MS)
        person.view.close()
    finally:
        with suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGCONT)


def test_without_scripts_a_button_judges(data: Path, url: str, chromium: Any) -> None:
    ingest_bad(data, 7_000)
    context = chromium.new_context(viewport=WIDE, java_script_enabled=False)
    person = Person(context.new_page())
    person.log_in(url)
    person.visit(f"{url}/failures/repair?reason=missing_field")
    person.view.locator("#payload").fill("{}")
    person.view.locator("button", has_text="Judge").click()
    assert "remove" in person.view.locator("#fix").input_value()
    assert "Without scripts" in person.view.locator("noscript .note").inner_text()
    person.visit(f"{url}/replay")
    assert person.view.locator("#figures").count() == 1
    context.close()


def test_a_window_is_dragged_over_the_time_axis(url: str, chromium: Any) -> None:
    context = chromium.new_context(viewport=WIDE)
    person = Person(context.new_page())
    person.log_in(url)
    person.visit(f"{url}/replay")
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
