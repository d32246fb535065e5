"""What the rows that an assertion returns mean together."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client

from lpa_sinks.parity import Assertion, Severity, ask

DAY = datetime(2026, 1, 8, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rows", "worst"),
    [
        ([], None),
        (["info"], Severity.INFO),
        (["info", "warn"], Severity.WARN),
        (["warn", "fail", "info"], Severity.FAIL),
    ],
)
def test_the_worst_row_counts(engine: Client, rows: list[str], worst: Severity | None) -> None:
    text = f"SELECT arrayJoin({rows or ['none']!r}) AS severity, {{start:String}} AS start WHERE severity != 'none'"
    assertion = Assertion("made", "fail or warn or info", (), "", "", text)
    found = ask(engine, "none", assertion, *DAY)
    assert found.severity == worst
    assert [row["severity"] for row in found.rows] == rows
    assert {row["start"] for row in found.rows} <= {"2026-01-08 00:00:00"}
