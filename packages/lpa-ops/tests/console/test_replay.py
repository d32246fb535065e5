"""A replay that is asked for in the console: each step is the command, started in turn, and found by other consoles."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, final
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from starlette.testclient import TestClient

from lpa_core.health.report import HealthReport
from lpa_ops.console import replay_jobs
from lpa_ops.console.page import ConsoleSources
from lpa_ops.console.replay_choice import ReplayChoice
from lpa_ops.console.replay_jobs import ReplayJobs, ReplayStep, StepState
from lpa_ops.read_api.problem import ReadRefused
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_ops.testing.page_text import page
from lpa_replay.audit import RunRecord, record_run
from lpa_replay.database import ReplayDatabase

TOKEN: Final = "0123456789abcdef"
FIX: Final = '[[fix]]\nsteps = [{ set = "note", value = 1 }]\n'
HOSTILE: Final = "<script>alert(1)</script>\u202e\x07"
PLAN: Final = {
    "id": "20260108T120000-abcdef",
    **dict.fromkeys(("selected", "published", "would_pass", "already_stored", "skipped"), 3),
    **dict.fromkeys(("unrecoverable", "exhausted"), 0),
    "would_fail_details": [{"type": HOSTILE, "reason": "missing_field", "details": HOSTILE, "records": 1}],
    "samples": [{"before": "", "after": "", "changes": [{"path": HOSTILE, "before": None, "after": HOSTILE}]}],
    "warning": "",
    "hint": "",
}
CHECKS: Final = [{"name": "every record in one place", "passed": True, "said": "3 recovered"}]


@final
@attrs.define
class Commands:
    """Stands in for processes: each command answers at once, unless there is nothing to answer."""

    answers: dict[str, Any] = attrs.field(factory=dict)
    error: str = ""
    started: list[list[str]] = attrs.field(factory=list)
    held: list[int] = attrs.field(factory=list)
    goes_on: bool = False

    def __call__(self, arguments: Sequence[str], output: Path, errors: Path, inherited: int) -> None:
        self.started.append(list(arguments))
        answer = self.answers.get(output.stem.removesuffix("-answer"))
        output.write_text("" if answer is None else json.dumps(answer))
        errors.write_text(self.error)
        if self.goes_on:
            self.held.append(os.dup(inherited))  # as a process does that inherits it

    def end(self) -> None:
        while self.held:
            os.close(self.held.pop())


@pytest.fixture
def commands() -> Iterator[Commands]:
    made = Commands({"plan": PLAN, "canary": {"canary": {"said": "1 of 1"}}, "run": {**PLAN}, "verify": {}})
    made.answers["verify"] = {"id": PLAN["id"], "passed": True, "checks": CHECKS}
    yield made
    made.end()


@pytest.fixture
def jobs(tmp_path: Path, commands: Commands) -> ReplayJobs:
    return ReplayJobs(tmp_path / "console", tmp_path / "replays", None, commands)


@pytest.fixture
def console(opened: Callable[..., TestClient], sources: ConsoleSources, jobs: ReplayJobs) -> Callable[..., TestClient]:
    """A browser at a console; with a token it has logged in."""

    def client(token: str = "") -> TestClient:
        browser = opened(attrs.evolve(sources, replays=jobs), token)
        if token:
            browser.post("/login", data={"token": token, "form_token": form_token(browser, "/login")})
        return browser

    return client


def form_token(browser: TestClient, path: str = "/query") -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', browser.get(path).text)
    assert found
    return found[1]


def planned(browser: TestClient, **values: str) -> str:
    """The id of a replay whose plan was asked for."""
    sent = {"reason": "missing_field", "fix": FIX, "form_token": form_token(browser), **values}
    answer = browser.post("/replay/plan", data=sent)
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["of"][0]


def start(browser: TestClient, job: str, step: str) -> Any:
    return browser.post("/replay/start", data={"of": job, "step": step, "form_token": form_token(browser)})


def states(browser: TestClient, job: str) -> list[str]:
    return [each["state"] for each in browser.get(f"/replay/job.json?of={job}").json()["steps"]]


def test_each_step_is_a_command_and_comes_in_its_turn(console: Callable[..., TestClient], commands: Commands) -> None:
    browser = console(TOKEN)
    job = planned(browser, type="stream_trace")
    (plan,) = commands.started
    assert plan[:4] == ["replay", "plan", "--from", "dlq-table"]
    assert plan[plan.index("--reason") + 1] == "missing_field"
    assert plan[plan.index("--type") + 1] == "stream_trace"
    assert Path(plan[plan.index("--fix") + 1]).read_text() == FIX
    file = plan[plan.index("--output") + 1]
    assert start(browser, job, "run").status_code == 409
    assert start(browser, job, "verify").status_code == 409
    for step in ("canary", "run", "verify"):
        assert f"start-{step}" in browser.get(f"/replay/job?of={job}").text
        assert start(browser, job, step).headers["location"] == f"/replay/job?of={job}"
    assert commands.started[1:] == [
        ["replay", "run", "--plan", file, "--canary", "1%", "--canary-only", "--json"],
        ["replay", "run", "--plan", file, "--json"],
        ["replay", "verify", PLAN["id"], "--json"],
    ]
    assert states(browser, job) == ["done"] * 4
    found = page(browser.get(f"/replay/job?of={job}"))
    assert "Every check passes." in found.text
    assert re.search(r"Health, asked at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s*: Dead letters", found.text)
    assert start(browser, job, "run").status_code == 409, "it is sent once"
    assert start(browser, job, "verify").status_code == 303, "a verification may be repeated"
    assert f"/replay/job?of={job}" in page(browser.get("/replay")).links


def test_a_verification_that_does_not_pass_is_not_shown_as_done(
    console: Callable[..., TestClient], commands: Commands
) -> None:
    commands.answers["verify"]["passed"] = False
    browser = console(TOKEN)
    job = planned(browser)
    for step in ("canary", "run", "verify"):
        start(browser, job, step)
    found = page(browser.get(f"/replay/job?of={job}")).text
    assert "Not every check passes." in found
    assert len(re.findall(r"✖\s+not passed", found)) == 1
    assert len(re.findall(r"●\s+done", found)) == 3


def test_health_is_told_once_it_was_asked_after_the_verification(
    opened: Callable[..., TestClient], sources: ConsoleSources, jobs: ReplayJobs, day_health: HealthReport
) -> None:
    job = jobs.begin(ReplayChoice(0, 1), "", 0)
    for step in (ReplayStep.CANARY, ReplayStep.RUN, ReplayStep.VERIFY):
        jobs.start(job, step)
    told = next(each for each in day_health.results if each.check.name == "dlq_rate")
    verified_ms = jobs.job(job).step(ReplayStep.VERIFY).answered_ms
    assert verified_ms is not None
    for asked_ms, shown in ((verified_ms - 1, False), (verified_ms, True)):
        report = HealthReport([attrs.evolve(told, checked_ms=asked_ms)])
        browser = opened(attrs.evolve(sources, replays=jobs, health=lambda report=report: report))
        text = page(browser.get(f"/replay/job?of={job}")).text
        assert (told.finding.detail in text) == shown
        assert ("before the verification. The next round" in text) != shown


def test_one_record_is_planned_by_its_position(console: Callable[..., TestClient], commands: Commands) -> None:
    planned(console(), at="o'brien\\/0/7", which="one")
    (plan,) = commands.started
    where = plan[plan.index("--where") + 1]
    assert where == r"(source_topic, source_partition, source_offset) IN (('o\'brien\\', 0, 7))"


def test_a_console_that_only_reads_shows_the_plan_and_the_command(
    console: Callable[..., TestClient], commands: Commands
) -> None:
    browser = console()
    job = planned(browser)
    found = page(browser.get(f"/replay/job?of={job}"))
    assert "This console only reads." in found.text
    assert "--canary 1% --canary-only" in found.text
    assert "Would pass 3" in found.text
    assert [name for name, _ in found.elements if name == "button"] == ["button"], "the menu's"
    answer = start(browser, job, "canary")
    assert "start it with LPA_CONSOLE_TOKEN" in page(answer, 403).text
    assert len(commands.started) == 1


def test_a_step_that_runs_is_found_by_another_console(
    console: Callable[..., TestClient], jobs: ReplayJobs, commands: Commands, tmp_path: Path
) -> None:
    browser = console(TOKEN)
    job = planned(browser)
    commands.goes_on = True
    start(browser, job, "canary")
    other = ReplayJobs(tmp_path / "console", tmp_path / "replays", None, commands)
    for each in (jobs, other):
        assert each.job(job).step(ReplayStep.CANARY).state is StepState.RUNNING
    assert "data-running" in browser.get(f"/replay/job?of={job}").text
    assert start(browser, job, "canary").status_code == 409
    commands.end()
    assert states(browser, job) == ["done", "done", "waiting", "waiting"]


@pytest.mark.slow
def test_a_step_that_was_killed_can_be_started_again(console: Callable[..., TestClient], commands: Commands) -> None:
    browser = console(TOKEN)
    job = planned(browser)
    start(browser, job, "canary")
    answer, commands.answers["run"] = commands.answers["run"], None
    start(browser, job, "run")
    assert states(browser, job)[2] == "failed"
    assert "it continues where it stopped" in page(browser.get(f"/replay/job?of={job}")).text
    commands.answers["run"] = answer
    assert start(browser, job, "run").status_code == 303
    assert states(browser, job)[2] == "done"


@pytest.mark.slow
def test_a_failure_is_said_in_the_words_of_the_command(console: Callable[..., TestClient], commands: Commands) -> None:
    browser = console(TOKEN)
    job = planned(browser)
    commands.answers["canary"] = None
    commands.error = f"lpa: kafka:9092: no broker answers: start Kafka {HOSTILE}\n"
    start(browser, job, "canary")
    answer = browser.get(f"/replay/job?of={job}")
    found = page(answer)
    assert "no broker answers: start Kafka" in found.text
    assert "lpa replay run --plan" in found.text
    assert "Send a canary of 1 % again" in found.text
    assert "\u202e" not in answer.text
    assert len([name for name, _ in found.elements if name == "script"]) == 3, "those of the console"


@pytest.mark.parametrize("token", ["", TOKEN], ids=["only reads", "logged in"])
def test_a_plan_that_failed_is_made_again(console: Callable[..., TestClient], commands: Commands, token: str) -> None:
    browser = console(token)
    made, commands.answers["plan"] = commands.answers["plan"], None
    commands.error = "lpa: data: the embedded database is open in process 7: wait for it or stop it\n"
    job = planned(browser)
    text = browser.get(f"/replay/job?of={job}").text
    assert "open in process 7" in text
    assert "Plan again" in text
    (action,) = re.findall(r'action="/(replay/[^"]+)"', text)
    commands.answers["plan"] = made
    sent = {"of": job, "step": "plan", "form_token": form_token(browser)}
    assert browser.post(f"/{action}", data=sent).headers["location"] == f"/replay/job?of={job}"
    assert states(browser, job)[0] == "done"
    assert browser.post(f"/{action}", data=sent).status_code == 409, "it is planned once"


@pytest.mark.parametrize("kept", [b"", b'{"choice": {'])
def test_a_folder_that_a_full_disk_left_unfinished_breaks_no_page(
    console: Callable[..., TestClient], tmp_path: Path, kept: bytes
) -> None:
    browser = console()
    job = planned(browser)
    unfinished = tmp_path / "console" / "20991231T235959-000000"
    unfinished.mkdir()
    (unfinished / "choice.json").write_bytes(kept)
    assert [each["id"] for each in browser.get("/replay.json").json()["jobs"]] == [job]
    page(browser.get(f"/replay/job?of={unfinished.name}"), 404)


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("content", ["", "{", "[]", '{"plan": []}', "\udcff"])
def test_a_folder_that_is_damaged_stops_no_page(
    console: Callable[..., TestClient], tmp_path: Path, content: str
) -> None:
    """As a full disk leaves a file, or a person who edits it."""
    browser = console(TOKEN)
    whole, damaged = planned(browser), planned(browser)
    folder = tmp_path / "console" / damaged
    folder.joinpath("choice.json").write_bytes(content.encode(errors="surrogateescape"))
    assert [each["id"] for each in browser.get("/replay.json").json()["jobs"]] == [whole]
    assert f"/replay/job?of={whole}" in page(browser.get("/replay")).links
    assert browser.get(f"/replay/job.json?of={damaged}").status_code == 404
    assert start(browser, damaged, "canary").status_code == 404


def test_a_disk_that_is_full_leaves_no_half_of_a_replay(
    console: Callable[..., TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = console()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "choice.json")

    token = form_token(browser)
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", full)
        answer = browser.post("/replay/plan", data={"reason": "missing_field", "fix": FIX, "form_token": token})
        assert "make LPA_DATA_DIR a folder that can be written and has free space" in page(answer, 503).text
    assert browser.get("/replay.json").json()["jobs"] == []
    assert planned(browser)


def test_a_fix_has_any_characters_in_any_locale(console: Callable[..., TestClient], tmp_path: Path) -> None:
    browser = console()
    fix = FIX.replace("note", "n\u00f6te").replace("value = 1", "value = '\u2603 \U0001f600'")
    job = planned(browser, fix=fix)
    assert (tmp_path / "console" / job / "fix.toml").read_bytes() == fix.encode()
    assert browser.get(f"/replay/job.json?of={job}").json()["fix"] == fix


def test_a_step_is_started_once_also_by_two_at_a_time(
    console: Callable[..., TestClient], jobs: ReplayJobs, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first has started it, and it has ended, between the second one's look and its turn."""
    job = planned(console(TOKEN))
    asked: list[bool] = []

    def meanwhile(found: Any, step: ReplayStep) -> Any:
        required(found, step)
        if not asked:
            asked.append(True)
            jobs.start(job, ReplayStep.CANARY)

    required = replay_jobs._require_open
    monkeypatch.setattr(replay_jobs, "_require_open", meanwhile)
    with pytest.raises(ReadRefused, match="it is done itself"):
        jobs.start(job, ReplayStep.CANARY)
    assert [each[1] for each in commands.started] == ["plan", "run"]


def test_no_more_plans_are_made_at_once_than_a_machine_bears(
    console: Callable[..., TestClient], commands: Commands
) -> None:
    browser = console()
    commands.goes_on = True
    made = [planned(browser) for _ in range(4)]
    answer = browser.post("/replay/plan", data={"reason": "missing_field", "form_token": form_token(browser)})
    assert "4 replays have a step that runs" in page(answer, 429).text
    assert len(commands.started) == len(made)
    commands.end()
    assert planned(browser)


def test_a_wrong_fix_is_not_planned(console: Callable[..., TestClient], commands: Commands) -> None:
    browser = console()
    sent = {"reason": "missing_field", "fix": "[[fix]]", "form_token": form_token(browser)}
    assert "fix 1: it has no steps" in page(browser.post("/replay/plan", data=sent), 400).text
    assert commands.started == []


@pytest.mark.parametrize("path", ["/replay/plan", "/replay/plan-again", "/replay/start"])
def test_only_a_form_of_this_console_starts_something(
    console: Callable[..., TestClient],
    opened: Callable[..., TestClient],
    sources: ConsoleSources,
    commands: Commands,
    path: str,
) -> None:
    browser = console(TOKEN)
    job = planned(browser)
    sent = {"of": job, "step": "canary", "reason": "missing_field"}
    token = form_token(browser)
    refused = [
        browser.post(path, data=sent),
        browser.post(path, data={**sent, "form_token": "0" * 64}),
        browser.post(path, data={**sent, "form_token": token}, headers={"Origin": "https://evil.example"}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 3
    host = browser.post(path, data={**sent, "form_token": token}, headers={"Host": "evil.example"})
    assert host.status_code == 421
    browser.cookies.clear()
    assert browser.post(path, data={**sent, "form_token": token}).status_code == 401
    assert browser.get(path).status_code in (303, 401, 405)
    assert len(commands.started) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "status"),
    [("/replay/job", 404), ("/replay/job?of=../../etc", 404), ("/replay/job?of=20260108T120000-abcdef", 404),
     ("/replay/run?id=none", 404), ("/replay?since=never", 400)],
)  # fmt: skip
def test_what_there_is_not_is_said(console: Callable[..., TestClient], path: str, status: int) -> None:
    page(console().get(path), status)


@pytest.mark.slow
def test_a_step_that_there_is_not_is_refused(console: Callable[..., TestClient]) -> None:
    browser = console(TOKEN)
    assert "there are plan, canary, run, verify" in page(start(browser, planned(browser), HOSTILE), 400).text


def test_history_is_the_audit(console: Callable[..., TestClient], day: CheckedDatabase) -> None:
    empty = RunRecord(*("" if field.type == "str" else 0 for field in attrs.fields(RunRecord)))
    checks = json.dumps([{"name": "every record in one place", "passed": False, "said": HOSTILE}])
    run = attrs.evolve(
        empty, replay_id="seen", state="failed", started_ms=day.now_ms, start_ms=None, end_ms=None, verification=checks
    )
    record_run(ReplayDatabase(day.engine, day.settings.clickhouse.database), run, day.now_ms)
    try:
        browser = console()
        (found,) = browser.get("/replay.json").json()["runs"]
        assert (found["replay_id"], found["became"]) == ("seen", HOSTILE)
        answer = browser.get("/replay")
        assert "/replay/run?id=seen" in page(answer).links
        assert "\u202e" not in answer.text
        audit = page(browser.get("/replay/run?id=seen"))
        assert "every record in one place" in audit.text
    finally:
        day.run("DELETE FROM day.replay_runs WHERE replay_id = 'seen'")


@pytest.mark.slow
def test_outstanding_dead_letters_lead_to_their_repair(console: Callable[..., TestClient]) -> None:
    browser = console()
    content = browser.get("/replay.json").json()
    assert sum(each["dead_lettered"] for each in content["steps"]) == sum(each["total"] for each in content["groups"])
    links = [each for each in page(browser.get("/replay")).links if each.startswith("/failures/repair?")]
    assert len(links) == len(content["groups"]) > 0


@pytest.mark.slow
def test_a_command_goes_on_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPA_DATA_DIR", str(tmp_path / "data"))
    jobs = ReplayJobs(tmp_path / "console", tmp_path / "replays", None)
    job = jobs.begin(ReplayChoice(0, 1), "", time.time_ns() // 1_000_000)
    assert jobs.job(job).running
    until = time.monotonic() + 60
    while jobs.job(job).running and time.monotonic() < until:
        time.sleep(0.1)
    step = jobs.job(job).step(ReplayStep.PLAN)
    assert step.state is StepState.FAILED
    assert "there is no embedded database yet" in step.error
    assert sys.executable not in step.command
