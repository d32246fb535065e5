"""Runs start checks, each by itself, and those that need another one after it."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, final

import attrs
import structlog

from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.errors import LpaError
from lpa_core.health.check import Finding, NotApplicable
from lpa_core.health.check_answer import WrongAnswerError, message, sound
from lpa_core.settings.thresholds import State

_log = structlog.get_logger("lpa.doctor")

_LOOK_SECONDS: Final = 0.05


class StartState(StrEnum):
    """In the order in which they are shown."""

    FAILED = "failed"
    WARNING = "warning"
    NOT_TRIED = "not tried"
    """A check that it needs has failed."""
    NOT_APPLICABLE = "not applicable"
    OK = "ok"


_STATES: Final = {
    State.OK: StartState.OK,
    State.NOT_APPLICABLE: StartState.NOT_APPLICABLE,
    State.WARNING: StartState.WARNING,
    State.CRITICAL: StartState.FAILED,
}


@final
@attrs.frozen
class StartResult:
    """What a check found: ``detail`` and ``action`` are one line each; there is no action if all is well."""

    check: StartCheck
    state: StartState
    detail: str
    action: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.check.name,
            "subject": self.check.subject,
            "title": self.check.title,
            "state": self.state.value,
            "detail": self.detail,
            "action": self.action,
            "seconds": round(self.seconds, 3),
        }


@final
@attrs.define(eq=False)
class _Asked:
    check: StartCheck
    began: float | None = None
    result: StartResult | None = None
    done: threading.Event = attrs.field(factory=threading.Event)

    def end(self, result: StartResult) -> None:
        """The first result counts: a check that was given up may still answer."""
        if not self.done.is_set():
            self.result = result
            self.done.set()


@final
class Examination:
    """All checks of one start.

    ``hanging`` says after :meth:`run` whether a check is still at work: its thread could keep the process from ending.
    """

    def __init__(self, checks: Sequence[StartCheck], start: PlannedStart) -> None:
        self._asked = [_Asked(check) for check in checks]
        self._start = start
        self.hanging = False

    def run(self) -> list[StartResult]:
        """The results, in the order of the checks. Raises nothing that a check raises."""
        threads = [
            threading.Thread(target=self._run, args=(asked,), name=f"doctor {asked.check.name}", daemon=True)
            for asked in self._asked
        ]
        for thread in threads:
            thread.start()
        for asked in self._asked:
            while not asked.done.wait(_LOOK_SECONDS):
                self._give_up_late_ones()
        for thread in threads:
            thread.join(_LOOK_SECONDS)
        self.hanging = any(thread.is_alive() for thread in threads)
        return [asked.result for asked in self._asked if asked.result is not None]

    def _give_up_late_ones(self) -> None:
        now = time.monotonic()
        for asked in self._asked:
            if asked.began is not None and now > asked.began + asked.check.seconds and not asked.done.is_set():
                asked.end(
                    StartResult(
                        asked.check,
                        StartState.FAILED,
                        f"no answer after {asked.check.seconds:.0f} s",
                        "look whether what it asks answers: the server, the name service, the network, the disk",
                        now - asked.began,
                    )
                )

    def _run(self, asked: _Asked) -> None:
        check = asked.check
        for before in self._before(asked):
            before.done.wait()
            result = before.result
            if result is not None and result.state in (StartState.FAILED, StartState.NOT_TRIED):
                first = result.detail if result.state is StartState.NOT_TRIED else f"{before.check.name} failed"
                asked.end(StartResult(check, StartState.NOT_TRIED, first))
                return
            if result is not None and result.state is StartState.NOT_APPLICABLE:
                asked.end(StartResult(check, StartState.NOT_APPLICABLE, result.detail))
                return
        asked.began = began = time.monotonic()
        finding = _judged(check, self._start)
        state = _STATES[finding.state]
        asked.end(StartResult(check, state, finding.detail, finding.action, time.monotonic() - began))

    def _before(self, asked: _Asked) -> list[_Asked]:
        """Those that it needs; only earlier ones, so that none waits for itself."""
        check, earlier = asked.check, self._asked[: self._asked.index(asked)]
        return [
            each for each in earlier if each.check.name in check.after and each.check.subject in ("", check.subject)
        ]


def _judged(check: StartCheck, start: PlannedStart) -> Finding:
    try:
        return sound(check.judge(start))
    except NotApplicable as reason:
        return Finding(State.NOT_APPLICABLE, message(reason))
    except WrongAnswerError as wrong:
        return Finding(State.CRITICAL, f"the check {message(wrong)}", action="correct the plugin that brings the check")
    except LpaError as error:  # tells by itself what is wrong, and what to do
        what, remedy = (message(Exception(*error.args)), error.remedy) if error.remedy else _parted(message(error))
        return Finding(State.CRITICAL, what, action=remedy)
    except BaseException as error:  # whatever a check raises is its own failure, an exit too
        _log.debug("a start check failed", check=check.name, exception=traceback.format_exc())
        return Finding(
            State.CRITICAL,
            f"{type(error).__name__}: {message(error)}",
            action="correct what the message names; LPA_LOG_LEVEL=debug shows where it was raised",
        )


def _parted(text: str) -> tuple[str, str]:
    """What is wrong, and what to do, of a message that ends in its remedy."""
    for separator in (": ", "; "):
        what, found, remedy = text.rpartition(separator)
        if found and remedy.count("(") == remedy.count(")"):
            return what, remedy
    return text, "correct what the message names"
