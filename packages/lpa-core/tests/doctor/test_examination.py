"""Start checks are run each by itself; those that need another one come after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lpa_core.doctor.examination import Examination, StartResult, StartState
from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.errors import ConfigurationError, JobFailed
from lpa_core.health.check import Finding, NotApplicable
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State

START = PlannedStart(Settings(), None, (), "memory://", None, kafka=False, event_types=())
WELL = Finding(State.OK, "well")


def raising(error: BaseException) -> Callable[[PlannedStart], Finding]:
    def judge(start: PlannedStart) -> Finding:
        raise error

    return judge


def found(*checks: StartCheck) -> dict[str, StartResult]:
    return {f"{each.check.name}{each.check.subject}": each for each in Examination(checks, START).run()}


def check(name: str, judge: Callable[[PlannedStart], Any] = lambda start: WELL, **more: Any) -> StartCheck:
    return StartCheck(name, name.title(), judge, **more)


@pytest.mark.parametrize(
    ("judge", "detail", "action"),
    [
        (raising(JobFailed("a: b: do c")), "a: b", "do c"),
        (raising(ConfigurationError("a is wrong", remedy="do c")), "a is wrong", "do c"),
        (
            raising(ConfigurationError("forgets claims (policy x); set policy y")),
            "forgets claims (policy x)",
            "set policy y",
        ),
        (raising(ConfigurationError("it is (E: 1)")), "it is (E: 1)", "correct what the message names"),
        (raising(RuntimeError("oh\nno")), "RuntimeError: oh no", "LPA_LOG_LEVEL=debug"),
        (raising(SystemExit(3)), "SystemExit: 3", "LPA_LOG_LEVEL=debug"),
        (lambda start: "fine", "it must return a Finding", "correct the plugin"),
        (lambda start: Finding(State.CRITICAL, "bad", action="mend"), "bad", "mend"),
    ],
)
def test_failure_31_a_check_that_fails_hides_no_other(
    judge: Callable[[PlannedStart], Any], detail: str, action: str
) -> None:
    results = found(check("before"), check("bad", judge), check("after"))
    assert [each.state for each in results.values()] == [StartState.OK, StartState.FAILED, StartState.OK]
    assert detail in results["bad"].detail
    assert action in results["bad"].action


def test_failure_31_a_check_that_hangs_is_given_up_and_the_others_are_told() -> None:
    ended = threading.Event()
    examination = Examination(
        [
            check("hangs", lambda start: ended.wait(30) and WELL, seconds=0.2),
            check("needs_it", after=("hangs",)),
            check("other"),
        ],
        START,
    )
    began = time.monotonic()
    results = {each.check.name: each for each in examination.run()}
    assert time.monotonic() - began < 10
    assert examination.hanging
    ended.set()
    assert results["hangs"].state is StartState.FAILED
    assert results["hangs"].detail == "no answer after 0 s"
    assert results["needs_it"].state is StartState.NOT_TRIED
    assert results["other"].state is StartState.OK


def test_what_needs_a_failed_check_is_not_tried_but_for_another_subject() -> None:
    asked: list[str] = []

    def judge(start: PlannedStart) -> Finding:
        asked.append("asked")
        return WELL

    results = found(
        check("address", raising(JobFailed("a: b")), subject="one"),
        check("address", subject="two"),
        check("login", judge, subject="one", after=("address",)),
        check("login", judge, subject="two", after=("address",)),
        check("tables", judge, subject="one", after=("login",)),
        check("nothing", raising(NotApplicable("no broker"))),
        check("topics", judge, after=("nothing",)),
    )
    assert {name: each.state.value for name, each in results.items()} == {
        "addressone": "failed",
        "addresstwo": "ok",
        "loginone": "not tried",
        "logintwo": "ok",
        "tablesone": "not tried",
        "nothing": "not applicable",
        "topics": "not applicable",
    }
    assert results["tablesone"].detail == "address failed"
    assert len(asked) == 1


def test_checks_that_need_each_other_do_not_wait_for_ever() -> None:
    results = found(check("one", after=("two", "one")), check("two", after=("one",)))
    assert [each.state for each in results.values()] == [StartState.OK, StartState.OK]


def test_checks_are_asked_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=10)
    results = found(*(check(f"check_{number}", lambda start: meeting.wait() >= 0 and WELL) for number in range(3)))
    assert {each.state for each in results.values()} == {StartState.OK}
