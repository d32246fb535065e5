"""Key figures of a window beside the window before it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

_SAMPLES_A_MINUTE: Final = 6
"""A status is sent every 10 seconds (docs/spec/producers.md section 4)."""
_HOURS_A_DAY: Final = 24


class Hour(NamedTuple):
    """What happened in an hour. ``hour`` is its start, epoch ms; the other fields may be summed over hours."""

    hour: int
    sessions: int
    known: int
    failed: int
    samples: int
    fees_eth: float


class Sums(NamedTuple):
    sessions: int
    known: int
    failed: int
    minutes: float
    fees_eth: float


def sums(hours: Sequence[Hour]) -> Sums:
    return Sums(
        sum(hour.sessions for hour in hours),
        sum(hour.known for hour in hours),
        sum(hour.failed for hour in hours),
        sum(hour.samples for hour in hours) / _SAMPLES_A_MINUTE,
        sum(hour.fees_eth for hour in hours),
    )


def success_rate(found: Sums) -> float | None:
    """Per cent of the sessions with a stream request that did not fail; None without any."""
    return 100 * (1 - found.failed / found.known) if found.known else None


def per_day(total: float, hours: int) -> float:
    return total * _HOURS_A_DAY / hours


def figure(value: float | None, before: float | None) -> dict[str, float | None]:
    """A figure and by how many per cent it changed; None if there is nothing to compare with."""
    change = None if value is None or not before else 100 * (value - before) / before
    return {"value": value, "delta": change}


def difference(value: float | None, before: float | None) -> dict[str, float | None]:
    """A percentage and by how many percentage points it changed."""
    return {"value": value, "delta": None if value is None or before is None else value - before}


class Jobs(NamedTuple):
    """Jobs of a window, by the hour in which they were received."""

    received: int
    ended: int
    succeeded: int


def requests(now: Jobs, before: Jobs, hours: int) -> dict[str, Any]:
    """The figures of one type of job in a window of so many hours, and their changes from the window before it."""
    rate, rate_before = (100 * jobs.succeeded / jobs.ended if jobs.ended else None for jobs in (now, before))
    return {
        "successRate": difference(rate, rate_before),
        "dailyJobCount": figure(per_day(now.received, hours), per_day(before.received, hours)),
    }


def streaming(hours: Sequence[Hour], start: int, end: int, observed: int, observed_before: int) -> dict[str, Any]:
    """The figures of live video from ``start`` to ``end``, epoch ms at full hours, and the changes of them.

    Args:
        hours: of the window and of the one before it.
        observed, observed_before: orchestrators that said what they can do, in either window.
    """
    length = (end - start) // 3_600_000
    within = [hour for hour in hours if start <= hour.hour < end]
    now, before = sums(within), sums([hour for hour in hours if hour.hour < start])
    by_hour = {hour.hour: hour for hour in within}
    every = [by_hour.get(hour, Hour(hour, 0, 0, 0, 0, 0.0)) for hour in range(start, end, 3_600_000)]
    return {
        "successRate": difference(success_rate(now), success_rate(before)),
        "orchestratorsObserved": figure(observed, observed_before),
        "dailyUsageMins": figure(per_day(now.minutes, length), per_day(before.minutes, length)),
        "dailySessionCount": figure(per_day(now.sessions, length), per_day(before.sessions, length)),
        "dailyNetworkFeesEth": figure(per_day(now.fees_eth, length), per_day(before.fees_eth, length)),
        "hourlySessions": [{"hour": hour.hour, "value": hour.sessions} for hour in every],
        "hourlyUsage": [{"hour": hour.hour, "value": hour.samples / _SAMPLES_A_MINUTE} for hour in every],
    }
