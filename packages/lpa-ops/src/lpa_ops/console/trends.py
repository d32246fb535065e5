"""What each check measured while the console ran: kept in memory, shown as a line and in words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, final

import attrs

from lpa_core.health.check import CheckResult
from lpa_ops.console.text import age, measured

MOST: Final = 240
"""Values of a check that are kept: four hours, if it is asked every minute."""
WIDTH, HEIGHT = 120, 24
_EDGE: Final = 2


@final
@attrs.frozen
class Measured:
    """A check's value at a time, epoch ms."""

    at_ms: int
    value: float


@final
class Trends:
    """Hears results of checks. One thread writes, any may read."""

    def __init__(self) -> None:
        self._values: dict[str, deque[Measured]] = {}

    def hear(self, results: Iterable[CheckResult]) -> None:
        for result in results:
            value = result.finding.value
            if value is not None:
                kept = self._values.setdefault(result.check.name, deque(maxlen=MOST))
                kept.append(Measured(result.checked_ms, value))

    def known(self) -> Mapping[str, Sequence[Measured]]:
        """The values of each check that had one, in the order of time."""
        return {name: tuple(values) for name, values in self._values.copy().items()}


def line(values: Sequence[Measured]) -> str:
    """The points of an SVG polyline in a box of WIDTH by HEIGHT; empty for fewer than two values."""
    if len(values) < 2:
        return ""
    begin, seconds = values[0].at_ms, max(values[-1].at_ms - values[0].at_ms, 1)
    least = min(each.value for each in values)
    span = max(each.value for each in values) - least

    def point(each: Measured) -> str:
        x = _EDGE + (each.at_ms - begin) / seconds * (WIDTH - 2 * _EDGE)
        y = HEIGHT / 2 if not span else HEIGHT - _EDGE - (each.value - least) / span * (HEIGHT - 2 * _EDGE)
        return f"{x:.1f},{y:.1f}"

    return " ".join(map(point, values))


def words(values: Sequence[Measured], unit: str) -> str:
    """What the line shows; empty for fewer than two values."""
    if len(values) < 2:
        return ""
    first, last = values[0], values[-1]
    since = age((last.at_ms - first.at_ms) / 1000)
    if first.value == last.value:
        still = all(each.value == first.value for each in values)
        return f"{'steady' if still else 'the same again'} after {since}"
    return f"{'up' if last.value > first.value else 'down'} from {measured(first.value, unit)} {since} before"
