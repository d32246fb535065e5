"""What a check answered, made sure of before anything shows, counts or sends it: a plugin may answer anything."""

from __future__ import annotations

import math
import reprlib
from typing import SupportsFloat

from lpa_core.errors import JobFailed
from lpa_core.health.check import Figure, Finding
from lpa_core.settings.thresholds import State, Thresholds


class WrongAnswerError(JobFailed):
    """A check answered what is not a finding. One line that says what it was, and what it has to be."""


def sound(answer: object) -> Finding:
    """The finding, of plain values only. Raises WrongAnswerError."""
    if not isinstance(answer, Finding):
        raise WrongAnswerError(f"answered {_shown(answer)}: it must return a Finding, or raise NotApplicable")
    if not isinstance(answer.state, State):
        raise WrongAnswerError(f"answered {_shown(answer.state)} as its state: it must be one of State")
    return Finding(
        answer.state,
        _text(answer.detail, "detail"),
        None if answer.value is None else _figure(answer.value, "value"),
        _thresholds(answer.thresholds),
        _text(answer.action, "action"),
        tuple(map(_labelled, answer.figures)),
    )


def message(error: BaseException) -> str:
    """What an exception says, in one line that can be printed."""
    try:
        return " ".join(writable(str(error)).split())
    except BaseException:  # a message that a plugin makes may raise as well
        return "its message cannot be read"


def writable(text: str) -> str:
    """The text without what UTF-8 cannot carry, such as a file's name that is none."""
    return text.encode("utf-8", "backslashreplace").decode()


def _thresholds(answered: object) -> Thresholds | None:
    if answered is None:
        return None
    if not isinstance(answered, Thresholds):
        raise WrongAnswerError(f"answered {_shown(answered)} as its thresholds: they must be Thresholds, or None")
    warning, critical = (_figure(each, "threshold") for each in answered[:2])
    return Thresholds(warning, critical, bool(answered.falling))


def _labelled(answered: object) -> Figure:
    if not isinstance(answered, Figure):
        raise WrongAnswerError(f"answered {_shown(answered)} among its figures: each must be a Figure")
    return Figure(
        _text(answered.name, "figure's name"),
        _figure(answered.value, "figure"),
        _text(answered.gateway, "figure's gateway"),
        _text(answered.pipeline, "figure's pipeline"),
    )


def _figure(answered: object, what: str) -> float:
    """The number, of a type that JSON has: also what only can be made one, of numpy or a Decimal."""
    try:
        number = float(answered) if isinstance(answered, SupportsFloat) else math.nan
    except (OverflowError, ValueError, TypeError):
        number = math.nan
    if not math.isfinite(number):
        raise WrongAnswerError(f"answered {_shown(answered)} as its {what}: it must be a finite number")
    return answered if type(answered) is int else number


def _text(answered: object, what: str) -> str:
    if not isinstance(answered, str):
        raise WrongAnswerError(f"answered {_shown(answered)} as its {what}: it must be text")
    return writable(answered)


def _shown(answered: object) -> str:
    return " ".join(writable(reprlib.repr(answered)).split())
