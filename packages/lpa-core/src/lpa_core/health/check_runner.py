"""Runs health checks, none of which can do more harm than fail."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Final, final

import attrs
import structlog

from lpa_core.errors import LpaError
from lpa_core.health.check import CheckResult, Finding, HealthCheck, NotApplicable, Scope
from lpa_core.health.check_answer import WrongAnswerError, message, sound
from lpa_core.settings.loading import SettingsError
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State

_log = structlog.get_logger("lpa.health")

SWITCHED_OFF: Final = Finding(State.NOT_APPLICABLE, "switched off by HEALTH_CHECKS_DISABLED")


@final
@attrs.define(eq=False)
class _Asked:
    """A check at work."""

    check: HealthCheck
    began: float
    finding: Finding | None = None
    seconds: float = 0.0
    thread: threading.Thread | None = None


@final
class CheckRunner:
    """Asks all checks at once, each in a thread of its own, and waits for none longer than ``HEALTH_TIMEOUT_SECONDS``.

    For costly ones that is ``HEALTH_COSTLY_TIMEOUT_SECONDS``.

    A check that hangs is reported, and not asked again before it has ended. One thread may run checks at a time.

    Raises SettingsError if ``HEALTH_CHECKS_DISABLED`` names what is not a check.
    """

    def __init__(self, checks: Sequence[HealthCheck], settings: Settings, timeout_seconds: float | None = None) -> None:
        """``timeout_seconds`` replaces both settings: for checks that wait for each other, and for tests."""
        self.checks = tuple(checks)
        self._disabled = frozenset(settings.health.checks_disabled)
        self._timeout = timeout_seconds or float(settings.health.timeout_seconds)
        self._costly_timeout = timeout_seconds or float(settings.health.costly_timeout_seconds)
        self._hanging: dict[str, _Asked] = {}
        names = {check.name for check in checks}
        for name in sorted(self._disabled - names):
            raise SettingsError(
                f"HEALTH_CHECKS_DISABLED={name}: there is no such health check; there are {', '.join(sorted(names))}"
            )

    @property
    def hanging(self) -> tuple[str, ...]:
        """Names of the checks that did not answer in time and have not since."""
        return tuple(name for name, asked in self._hanging.items() if asked.finding is None)

    def run(self, scope: Scope, wanted: Callable[[HealthCheck], bool] = lambda check: True) -> list[CheckResult]:
        """The results of the wanted checks, in the order of the checks. Raises nothing that a check raises."""
        asked = [self._ask(check, scope) for check in self.checks if wanted(check)]
        return [self._result(each, scope) for each in asked]

    def _ask(self, check: HealthCheck, scope: Scope) -> _Asked:
        hanging = self._hanging.pop(check.name, None)
        if hanging is not None and hanging.finding is None:
            return hanging
        asked = _Asked(check, time.monotonic())
        if check.name in self._disabled:
            asked.finding = SWITCHED_OFF
            return asked
        asked.thread = threading.Thread(target=_judge, args=(asked, scope), name=f"health {check.name}", daemon=True)
        asked.thread.start()
        return asked

    def _result(self, asked: _Asked, scope: Scope) -> CheckResult:
        if asked.thread is not None:
            timeout = self._costly_timeout if asked.check.costly else self._timeout
            asked.thread.join(max(0.0, asked.began + timeout - time.monotonic()))
        finding, seconds = asked.finding, asked.seconds
        if finding is None:
            self._hanging[asked.check.name] = asked
            seconds = time.monotonic() - asked.began
            finding = Finding(
                asked.check.severity,
                f"no answer after {seconds:,.1f} s",
                action="look whether the database, the brokers and the disks answer; HEALTH_TIMEOUT_SECONDS, or "
                "HEALTH_COSTLY_TIMEOUT_SECONDS, is how long a check may take",
            )
        return CheckResult(asked.check, finding, seconds, scope.now_ms)


def _judge(asked: _Asked, scope: Scope) -> None:
    check = asked.check
    try:
        finding = sound(check.judge(scope))
    except NotApplicable as reason:
        finding = Finding(State.NOT_APPLICABLE, message(reason))
    except WrongAnswerError as wrong:
        finding = Finding(
            check.severity,
            f"could not be judged: the check {check.name} {wrong}",
            action=f"correct the check, or leave it out until then: HEALTH_CHECKS_DISABLED={check.name}",
        )
    except LpaError as error:  # tells by itself what is wrong, and what to do
        _log.debug("a health check failed", check=check.name, exception=traceback.format_exc())
        what = message(Exception(*error.args)) if error.remedy else message(error)
        finding = Finding(
            check.severity,
            f"could not be judged: {what}",
            action=error.remedy or "correct what the message names",
        )
    except BaseException as error:  # whatever a check raises is its own failure, an exit too
        _log.debug("a health check failed", check=check.name, exception=traceback.format_exc())
        finding = Finding(
            check.severity,
            f"could not be judged: {type(error).__name__}: {message(error)}",
            action="correct what the message names; LPA_LOG_LEVEL=debug shows where it was raised",
        )
    asked.seconds = time.monotonic() - asked.began
    asked.finding = finding
