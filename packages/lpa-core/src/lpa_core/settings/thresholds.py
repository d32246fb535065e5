"""How well something is, and from which value on it is worse."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """In the order in which they worry."""

    OK = "ok"
    NOT_APPLICABLE = "not applicable"
    """Nothing could be judged. This does not mean healthy."""
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return [*State].index(self)


class Thresholds(NamedTuple):
    """A value beyond ``warning`` or ``critical`` is that bad: above it, or below it where ``falling``.

    Not of attrs: settings would take one for a table of settings.
    """

    warning: float
    critical: float
    falling: bool = False

    def judge(self, value: float) -> State:
        sign = -1 if self.falling else 1
        if value * sign > self.critical * sign:
            return State.CRITICAL
        return State.WARNING if value * sign > self.warning * sign else State.OK
