"""Hourly routes read the newest hours first, and older ones only for a page that is not full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from lpa_ops.read_api.hours import ROUTES
from lpa_ops.read_api.parameters import HOUR_MS, read_parameters

NOW: Final = 480_000 * HOUR_MS + 7
(SLA,) = (route for route in ROUTES if route.path == "streaming/sla")


class Hours:
    """A database with so many rows in each of these hours before :data:`NOW`; 0 is the hour of now."""

    def __init__(self, rows: Mapping[int, int]) -> None:
        self.rows_of, self.read = rows, list[tuple[int, int]]()

    def rows(self, sql: str, parameters: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        start, end = parameters["start"], parameters["end"]
        self.read.append((-(-start // HOUR_MS), -(-end // HOUR_MS)))
        found = [
            (datetime.fromtimestamp((NOW // HOUR_MS - ago) * 3600, UTC), "", "", "", "", str(number), "")
            for ago, count in sorted(self.rows_of.items())
            if start <= (NOW // HOUR_MS - ago) * HOUR_MS < end
            for number in range(count)
        ]
        names = ("window_start", "org", "orchestrator_address", "pipeline", "model_id", "gpu_id", "region")
        return names if found else (), found[: parameters["rows"]]


def read(database: Hours, **given: str) -> tuple[list[int], bool]:
    """The hours before now of the rows of a page, and whether there are more."""
    reading = SLA.read(database, read_parameters(SLA.parameters, list(given.items()), NOW), NOW)
    ago = [
        NOW // HOUR_MS - int(datetime.fromisoformat(row["window_start"]).timestamp()) // 3600 for row in reading.content
    ]
    assert reading.page
    return ago, reading.page.next_cursor is not None


def test_a_page_that_the_newest_hours_fill_reads_no_more() -> None:
    database = Hours(dict.fromkeys(range(700), 20))
    assert read(database, start="30d") == ([0] * 20 + [1] * 20 + [2] * 10, True)
    assert len(database.read) == 1


@pytest.mark.parametrize("rows", [{0: 1, 5: 2, 60: 1, 600: 3}, {719: 1}, {}])
def test_older_hours_are_read_for_a_page_that_is_not_full(rows: Mapping[int, int]) -> None:
    database = Hours(rows)
    assert read(database, start="30d") == ([ago for ago, count in rows.items() for _ in range(count)], False)
    for (begin, _), (_, end) in zip(database.read, database.read[1:], strict=False):
        assert begin == end, "no hour is read twice, and none is left out"
    assert len(database.read) <= 3


def test_a_page_may_end_between_two_reads() -> None:
    database = Hours({0: 50, 4: 1})
    assert read(database) == ([0] * 50, True)
    assert read(Hours({0: 50})) == ([0] * 50, False)
