"""Rows that a statement carries with it, instead of a temporary table.

A temporary table is in a session, and a session is on one server: behind a balancer the next statement may reach
another one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Sequence
from typing import Any, Final

from lpa_core.tables.table import Column
from lpa_sinks.clickhouse.insert import uncompressed

SETTINGS: Final = {"max_query_size": 1 << 30}
"""For a statement with rows in it."""


def carried(columns: Sequence[Column], rows: Collection[Sequence[Any]]) -> str:
    """Rows as a Native block in base64, for ``format(Native, base64Decode('...'))`` in a statement."""
    return carried_columns(columns, list(zip(*rows, strict=True)) or [()] * len(columns))


def carried_columns(columns: Sequence[Column], values: Sequence[Sequence[Any]]) -> str:
    """The same of rows that are given as one sequence of values for each column."""
    return b64encode(uncompressed(columns, values)).decode()
