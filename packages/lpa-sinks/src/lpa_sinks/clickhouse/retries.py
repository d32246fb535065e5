"""How long a ClickHouse that does not take rows is asked again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar, final

import attrs
import structlog
import tenacity
from tenacity.wait import wait_base, wait_random_exponential

from lpa_core.errors import ConfigurationError, JobFailed, Unavailable, UsageError
from lpa_core.sinks.sink import RowsRefused, SinkMisconfigured, SinkUnavailable
from lpa_sinks.clickhouse.errors import ErrorKind, classify, describe, explain, is_not_there

_log = structlog.get_logger("lpa.sinks.clickhouse")

T = TypeVar("T")

_LACKING: Final = "`lpa schema check` says what the database lacks, and what brings it"


class AbandonedError(JobFailed):
    """An action gave up for a reason that has nothing to do with ClickHouse."""


class InexplicableError(JobFailed):
    """Rows were refused together, yet none of them alone."""


_OUTCOMES: Final = (RowsRefused, UsageError, ConfigurationError, Unavailable, AbandonedError)
"""Nothing that another attempt changes, or what has been tried for long enough."""


@final
@attrs.define(slots=True)
class RetryTrouble:
    """Why the last attempt failed, while another one is to come; empty otherwise."""

    reason: str = ""


@final
@attrs.frozen(slots=True)
class RetryPolicy:
    """How often and how long.

    Attributes:
        seconds: give up after this long; None: never.
        unknown_attempts: attempts in all at an error of which it is not known whether waiting helps.
        wait: seconds between attempts.
        sleep: waits them.
        trouble: what the policy waits for now, to be looked at by other threads.
        interrupted: set by another thread, it ends the waiting, and attempts after the one in work.
    """

    seconds: float | None = None
    unknown_attempts: int = 4
    wait: wait_base = attrs.field(factory=lambda: wait_random_exponential(multiplier=0.5, max=30))
    interrupted: threading.Event = attrs.field(factory=threading.Event)
    sleep: Callable[[float], object] = attrs.field(
        default=attrs.Factory(lambda self: self.interrupted.wait, takes_self=True)
    )
    trouble: RetryTrouble = attrs.field(factory=RetryTrouble)

    def run(self, what: str, action: Callable[[], T]) -> T:
        """Return what ``action`` answers, once it does.

        Args:
            what: the action, for people: ``where: what``.

        Raises RowsRefused, AbandonedError and whatever is a UsageError, ConfigurationError or Unavailable as the action
        raises it. Any other error becomes SinkMisconfigured or SinkUnavailable.
        """
        unknown = 0

        def stop(state: tenacity.RetryCallState) -> bool:
            nonlocal unknown
            if self.interrupted.is_set():
                return True
            if _verdict(_error(state)) is ErrorKind.UNKNOWN:
                unknown += 1
                return unknown >= self.unknown_attempts
            # Time spent waiting counts even where the clock of a test stands still.
            spent = max(state.seconds_since_start or 0, state.idle_for)
            return self.seconds is not None and spent >= self.seconds

        retrying = tenacity.Retrying(
            sleep=self._pause,
            wait=self.wait,
            stop=stop,
            retry=tenacity.retry_if_exception(_worth_retrying),
            before_sleep=lambda state: self._report(what, state),
            reraise=True,
        )
        try:
            return retrying(action)
        except _OUTCOMES:
            raise
        except Exception as error:
            if _verdict(error) is ErrorKind.CONFIGURATION:
                remedy = f": {_LACKING}" if is_not_there(error) else ""
                raise SinkMisconfigured(f"{what}: {describe(error)}: {explain(error)}{remedy}") from error
            raise SinkUnavailable(f"{what}: {_describe(error)}: still so after the last attempt") from error
        finally:
            self.trouble.reason = ""

    def _report(self, what: str, state: tenacity.RetryCallState) -> None:
        reason = _describe(_error(state))
        self.trouble.reason = f"{what}: {reason}"
        _log.warning(
            "ClickHouse takes nothing now; trying again",
            doing=what,
            reason=reason,
            attempt=state.attempt_number,
            seconds=round(state.upcoming_sleep, 1),
        )

    def _pause(self, seconds: float) -> None:
        self.sleep(seconds)


AT_ONCE: Final = RetryPolicy(seconds=0, unknown_attempts=1)
"""One attempt, for commands that a person waits for."""


def _worth_retrying(error: BaseException) -> bool:
    if not isinstance(error, Exception) or isinstance(error, _OUTCOMES):
        return False
    return _verdict(error) is not ErrorKind.CONFIGURATION


def _verdict(error: Exception) -> ErrorKind:
    """An error about rows if none were written, or of none of the rows, is as good as unknown."""
    if isinstance(error, InexplicableError):
        return ErrorKind.UNKNOWN
    verdict = classify(error)
    return ErrorKind.UNKNOWN if verdict is ErrorKind.ROW else verdict


def _describe(error: Exception) -> str:
    return str(error) if isinstance(error, InexplicableError) else describe(error)


def _error(state: tenacity.RetryCallState) -> Exception:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, Exception)
    return error
