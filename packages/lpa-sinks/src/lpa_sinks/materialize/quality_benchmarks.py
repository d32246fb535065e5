"""The quality benchmark of each day, by which the 7 days after it are measured (docs/spec/producers.md section 7)."""

from __future__ import annotations

from typing import Final, final

from lpa_sinks.materialize.fact_database import FactDatabase

_INTERVAL_US: Final = 600_000_000
"""Each time reads the versions of all facts that benchmarks are made of, and today's facts whole."""
_MARGIN_US: Final = 600_000_000
"""Facts carry the time at which their input was read. Writing them takes far less time than this."""
_DAYS_AT_ONCE: Final = 31
"""Bounds what one statement holds in memory: the hourly averages of so many days."""


@final
class QualityBenchmarks:
    """Makes the benchmark of every day whose facts are newer than it.

    What is to be done stands in the database: nothing is lost if a process ends, and any number of processes can do it.
    """

    def __init__(self, database: FactDatabase) -> None:
        self._database = database
        self._due: int | None = None

    def refresh_when_due(self, now: int) -> None:
        """Refresh every 10 minutes, at first 10 minutes after the first call.

        Args:
            now: the server's time, epoch microseconds.

        Raises the client's errors.
        """
        if self._due is not None and now >= self._due:
            self.refresh()
        if self._due is None or now >= self._due:
            self._due = now + _INTERVAL_US

    def refresh(self) -> int:
        """Make the benchmarks that are older than their facts.

        Returns how many days that were. Raises the client's errors.
        """
        (days,) = self._database.query("days_to_benchmark.sql", 1, {"margin": _MARGIN_US})
        for start in range(0, len(days), _DAYS_AT_ONCE):
            self._database.command("roll_up_benchmarks.sql", {"days": list(days[start : start + _DAYS_AT_ONCE])})
        return len(days)
