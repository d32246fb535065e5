"""Asks a database an assertion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_sinks.parity.assertions import Assertion, Severity

ROWS_SHOWN: Final = 100
"""Of each assertion; more are counted as this many."""


@final
@attrs.frozen
class AssertionResult:
    """What an assertion found.

    Attributes:
        severity: the worst of the rows; None if the assertion holds.
        rows: what offends, at most ``ROWS_SHOWN``.
    """

    assertion: Assertion
    severity: Severity | None
    rows: Sequence[Mapping[str, Any]]


def ask(client: Client, database: str, assertion: Assertion, start: datetime, end: datetime) -> AssertionResult:
    """What the assertion finds in ``[start, end)``, times with a zone, from 2000 to 2106.

    Raises the client's errors and SinkMisconfigured.
    """
    window = {"start": _text(start), "end": _text(end)}
    query = f"SELECT * FROM ({assertion.query(database)}) LIMIT {ROWS_SHOWN}"
    answer = client.query(query, parameters=window)
    rows = [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]
    return AssertionResult(assertion, _worst(assertion, rows), rows)


def _worst(assertion: Assertion, rows: Sequence[Mapping[str, Any]]) -> Severity | None:
    found = {Severity(row.get("severity", assertion.severity)) for row in rows}
    return next((severity for severity in Severity if severity in found), None)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
