"""The console in Chromium: pages without errors, by keyboard alone, on a phone, in the dark, and as axe wants them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

import pytest
from services.preloaded import preloaded_lpa

from lpa_core.generate.generator import generate

SCRIPT: Final = '</pre><script>window.hit = 1</script><img src=x onerror="window.hit = 1">\u202e'
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
PAGES: Final = (
    *("flow", "flow?since=30d", "health", "failures", "failures?place=quarantine", "failures/record"),
    *("failures/repair", "replay", "sessions", "sessions/session", "sessions/job", "trace", "trace?of=hostile", "data"),
    *("data/table?name=streaming_events", "query?sql=SELECT+1", "nothing"),
)
WATCHED: Final = Path(__file__).with_name("keyboard_watch.js").read_text()
SERIOUS: Final = ("serious", "critical")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of `lpa console` over generated events, jobs, bad ones, and one that is hostile."""
    folder = tmp_path_factory.mktemp("console")
    events = [
        *generate(2000, duplicates=0.02, bad=0.03, sessions=20, seed=3),
        json.dumps({"id": "hostile", "x": SCRIPT}).encode(),
    ]
    events += generate(300, duplicates=0, bad=0, sessions=1, jobs=0.95, seed=4)
    (folder / "events.ndjson").write_bytes(b"\n".join(events) + b"\n")
    environment = {**os.environ, "LPA_DATA_DIR": str(folder / "data"), "LPA_CONSOLE_ADDRESS": "127.0.0.1:0"}
    environment |= {"HEALTH_INTERVAL_SECONDS": "5", "LPA_LOG_FORMAT": "json"}
    subprocess.run(
        [preloaded_lpa(), "ingest", "events.ndjson"], cwd=folder, env=environment, check=True, capture_output=True
    )
    with subprocess.Popen(
        [preloaded_lpa(), "console"], env=environment, stderr=subprocess.PIPE, text=True, cwd=folder
    ) as process:
        try:
            assert process.stderr
            yield json.loads(process.stderr.readline())["url"]
        finally:
            process.terminate()
            process.communicate(timeout=60)


@pytest.fixture(scope="module")
def addresses(console: str) -> dict[str, str]:
    """Path of each page of PAGES, those of one record, session and job with an id that there is."""

    def content(path: str) -> Any:
        with build_opener(ProxyHandler({})).open(f"{console}/{path}", timeout=60) as answer:
            return json.loads(answer.read())

    listed = content("sessions.json")
    hostile = content("failures.json?since=30d&sought=hostile")["records"][0]
    at = f"{hostile['source_topic']}/{hostile['source_partition']}/{hostile['source_offset']}"
    made = {
        "failures/record": f"failures/record?at={quote(at, safe='')}",
        "failures/repair": f"failures/repair?since=30d&at={quote(at, safe='')}&which=one",
        "sessions/session": f"sessions/session?id={quote(listed['sessions'][0]['workflow_session_id'])}",
        "sessions/job": f"sessions/job?id={quote(listed['jobs'][0]['job_id'])}",
    }
    return {page: made.get(page, page) for page in PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_sound_accessible_and_used_by_keyboard_alone(
    console: str, chromium: Any, addresses: dict[str, str], page: str
) -> None:
    context = chromium.new_context(viewport=WIDE, color_scheme="light")
    view = context.new_page()
    troubles = heard(view)
    view.goto(f"{console}/{addresses[page]}")
    sound(view, page, troubles)
    if page == "health":
        view.locator("article").first.wait_for(timeout=120_000)
    view.evaluate(WATCHED)
    walk(view)
    assert view.evaluate("watch.missed()") == []
    assert view.evaluate("watch.troubles") == []
    context.close()


def test_every_page_is_sound_and_accessible_on_a_phone_in_the_dark(
    console: str, chromium: Any, addresses: dict[str, str]
) -> None:
    context = chromium.new_context(viewport=PHONE, color_scheme="dark")
    view = context.new_page()
    troubles = heard(view)
    for page, address in addresses.items():
        view.goto(f"{console}/{address}")
        sound(view, page, troubles)
        troubles.clear()
    context.close()


def heard(view: Any) -> list[str]:
    """Errors and warnings of pages, as they come."""
    troubles: list[str] = []
    view.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
    view.on("pageerror", lambda error: troubles.append(str(error)))
    return troubles


def sound(view: Any, page: str, troubles: list[str]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = [each for each in troubles if page != "nothing" or "404" not in each]
    assert found == [], page
    assert view.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page} is wider than the window"
    assert view.evaluate("window.hit") is None, page
    violations = Axe().run(view).response["violations"]
    serious = [
        (each["id"], [node["html"][:120] for node in each["nodes"][:2]])
        for each in violations
        if each["impact"] in SERIOUS
    ]
    assert serious == [], page


def test_charts_show_the_last_of_their_spans(console: str, chromium: Any) -> None:
    view = chromium.new_page(viewport=WIDE)
    view.goto(f"{console}/flow")
    end = "const times = chart.data[0]; const end = 2 * times.at(-1) - times.at(-2)"
    inside = f"charts.map(({{chart}}) => {{ {end}; return chart.valToPos(end, 'x') <= chart.over.clientWidth + 1 }})"
    assert view.evaluate(inside) == [True, True]
    view.close()


def test_charts_are_drawn_and_refreshed(console: str, chromium: Any) -> None:
    view = chromium.new_page(viewport=WIDE)
    view.goto(f"{console}/flow")
    assert view.locator(".chart canvas").count() == 2
    before = view.locator("footer time").count()
    with view.expect_response(re.compile("/flow$")):
        view.evaluate("htmx.trigger('#live', 'refresh')")
    view.wait_for_function("document.querySelectorAll('.chart canvas').length === 2")
    assert view.locator("footer time").count() == before
    assert view.locator("#live #live").count() == 0
    assert not view.locator("#stale").is_visible()
    view.close()


def test_a_page_says_when_it_was_read_and_why_it_is_not_refreshed(console: str, chromium: Any) -> None:
    view = chromium.new_page(viewport=WIDE)
    view.goto(f"{console}/flow")
    view.evaluate("document.querySelector('#read-at').textContent = 'before'")
    view.evaluate("htmx.trigger('#live', 'refresh')")
    view.locator("#read-at", has_text="20").wait_for()
    stale = view.locator("#stale")
    view.route("**/flow", lambda route: route.abort())
    view.evaluate("htmx.trigger('#live', 'refresh')")
    stale.wait_for(state="visible")
    assert "the console does not reply" in stale.inner_text()
    view.route("**/flow", lambda route: route.fulfill(status=503))
    view.evaluate("htmx.trigger('#live', 'refresh')")
    stale.get_by_text("replies with an error").wait_for(state="visible")
    assert "does not reply" not in stale.inner_text()
    view.route("**/flow", lambda route: None)
    view.evaluate("htmx.config.timeout = 50, htmx.trigger('#live', 'refresh')")
    stale.get_by_text("does not reply").wait_for(state="visible")
    view.unroute("**/flow")
    view.evaluate("htmx.config.timeout = 45000, htmx.trigger('#live', 'refresh')")
    stale.wait_for(state="hidden")
    view.close()


def test_what_has_the_focus_keeps_it_when_the_page_is_refreshed(console: str, chromium: Any) -> None:
    view = chromium.new_page(viewport=WIDE)
    view.goto(f"{console}/flow")
    view.locator("#live a", has_text="7d").focus()
    view.evaluate("document.activeElement.dataset.before = 'yes'")
    with view.expect_response(re.compile("/flow$")):
        view.evaluate("htmx.trigger('#live', 'refresh')")
    view.wait_for_function("!document.querySelector('[data-before]')")
    assert view.evaluate("document.activeElement.textContent") == "7d"
    view.close()


def test_the_keyboard_alone_opens_the_menu_of_a_phone(console: str, chromium: Any) -> None:
    view = chromium.new_page(viewport=PHONE)
    view.goto(f"{console}/failures")
    view.evaluate(WATCHED)
    walk(view)
    assert view.evaluate("watch.missed()") == []
    assert view.evaluate("watch.reached('Query')"), "a link of the menu"
    assert view.evaluate("watch.troubles") == []
    view.close()


def walk(view: Any) -> None:
    """Press Tab until the first control is reached again, and use each on the way as its kind is used."""
    for _ in range(1000):
        view.keyboard.press("Tab")
        key = view.evaluate("watch.next()")
        if key is None:
            return
        if key:
            view.keyboard.press(key)
    raise AssertionError("the keys never come back to where they began")


def test_a_statement_is_run_by_keyboard_alone(console: str, chromium: Any) -> None:
    view = chromium.new_page(viewport=WIDE)
    view.goto(f"{console}/query")
    view.locator("#sql").focus()
    view.keyboard.type("SELECT count() AS events FROM streaming_events")
    view.keyboard.press("Tab")
    view.keyboard.press("Enter")
    view.locator("td.number").wait_for()
    assert int(view.locator("td.number").inner_text()) > 1000
    assert view.locator("#sql").input_value().startswith("SELECT count()")
    view.close()


def test_from_a_red_check_to_a_record_in_three_clicks(console: str, chromium: Any) -> None:
    view = chromium.new_page(viewport=WIDE)
    view.goto(f"{console}/health")
    view.locator("#dlq_rate").wait_for(timeout=120_000)
    view.locator("#dlq_rate a", has_text="the dead letters").click()
    view.locator("tbody td a").nth(1).click()
    view.locator("tbody th a.mono").first.click()
    assert "Dead letter:" in view.locator("article h2").first.inner_text()
    view.close()


def test_an_edit_is_judged_while_it_is_typed(console: str, chromium: Any, addresses: dict[str, str]) -> None:
    view = chromium.new_page(viewport=WIDE)
    view.goto(f"{console}/{addresses['failures/repair']}")
    verdict = view.locator("#verdicts tbody tr").first
    assert "passes" not in verdict.inner_text()
    data = {"state": "ONLINE", "stream_id": "s", "request_id": "r", "pipeline": "live"}
    whole = {"id": "hostile", "type": "ai_stream_status", "timestamp": 1767873600000, "data": data}
    view.locator("#payload").focus()
    view.keyboard.press("Control+A")
    view.keyboard.insert_text(json.dumps(whole))
    view.locator("#verdicts tbody tr", has_text="passes").wait_for()
    fix = view.locator("#fix").input_value()
    assert 'set = "data"' in fix
    assert view.evaluate("document.activeElement.id") == "payload", "whoever types goes on typing"
    view.locator("#fix").fill("[[fix]]")
    view.locator("#verdicts .critical", has_text="it has no steps").wait_for()
    assert view.locator("#fix").input_value() == "[[fix]]"
    view.close()


def test_an_edit_whose_verdict_does_not_come_is_judged_again(
    console: str, chromium: Any, addresses: dict[str, str]
) -> None:
    view = chromium.new_page(viewport=WIDE)
    view.goto(f"{console}/{addresses['failures/repair']}")
    answers = iter([lambda route: route.fulfill(status=503), lambda route: route.abort()])
    view.route("**/failures/repair", lambda route: next(answers, lambda last: last.continue_())(route))
    view.locator("#fix").fill("[[fix]]")
    view.locator("#stale").wait_for(state="visible")
    view.locator("#verdicts .critical", has_text="it has no steps").wait_for()
    assert not view.locator("#stale").is_visible()
    view.close()
