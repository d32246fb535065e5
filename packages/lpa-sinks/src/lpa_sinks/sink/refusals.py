"""Finds which rows of a block cannot be stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from lpa_core.tables.table import Block, Column
from lpa_sinks.clickhouse.errors import CODES, ErrorKind, classify, describe
from lpa_sinks.clickhouse.inline_rows import SETTINGS, carried_columns
from lpa_sinks.clickhouse.insert import fits
from lpa_sinks.clickhouse.types import column_type
from lpa_sinks.sink.rules_of_table import rules_of

_ROWS_AT_ONCE: Final = 1_000
"""A statement with a whole block in it could be larger than what stands between takes."""
_SETTINGS: Final = {**SETTINGS, "max_threads": 1}
"""One thread, so that rows come in their order."""
_CODE: Final = 469
_VIOLATED: Final = f"{CODES[_CODE][0]} (code {_CODE})"

Refusal = Callable[[int, int], str | None]
"""Why the rows from the first index up to the second cannot be stored together, or None if they can."""


def refused_rows(client: Client, database: str, block: Block) -> dict[int, str]:
    """Index -> reason, without values, for each row of the block that can never be stored.

    Rows that cannot be encoded come first: if there are any, ClickHouse is not asked about the others. It is asked
    by statements that carry parts of the block with them, convert them to the types of the table's columns, compute
    the same columns and check the same constraints; nothing is written. Empty if every row could be stored alone.

    Raises the client's errors, other than those that are about rows.
    """
    return _not_encodable(block.table.columns, block.columns) or _not_storable(client, database, block)


def _not_encodable(columns: Sequence[Column], data: Sequence[Sequence[Any]]) -> dict[int, str]:
    refused: dict[int, str] = {}
    for column, values in zip(columns, data, strict=True):
        why = f"column {column.name} cannot hold the value as {column_type(column)}"

        def refusal(
            start: int, end: int, column: Column = column, values: Sequence[Any] = values, why: str = why
        ) -> str | None:
            return None if fits(column, values[start:end]) else why

        for index, reason in _search(0, len(values), refusal):
            refused.setdefault(index, reason)
    return refused


def _not_storable(client: Client, database: str, block: Block) -> dict[int, str]:
    rules = rules_of(client, database, block.table.name)
    names = [*rules.constraints]
    refused: dict[int, str] = {}

    def refusal(start: int, end: int) -> str | None:
        part = [values[start:end] for values in block.columns]
        statement = rules.statement(block.table.column_names, carried_columns(block.table.columns, part))
        try:
            found = client.query(statement, settings=_SETTINGS).result_rows
        except Exception as error:
            if classify(error) is not ErrorKind.ROW:
                raise
            return describe(error)
        for row, (violated, _) in enumerate(found, start):
            if violated:
                refused[row] = f"{_VIOLATED}, constraint {names[violated - 1].strip('`')}"
        return None

    for start in range(0, len(block), _ROWS_AT_ONCE):
        refused |= _search(start, min(start + _ROWS_AT_ONCE, len(block)), refusal)
    return refused


def _search(first: int, behind: int, refusal: Refusal) -> Iterator[tuple[int, str]]:
    """Halve what is refused until single rows are left."""
    parts = [(first, behind)] if behind > first else []
    while parts:
        start, end = parts.pop()
        why = refusal(start, end)
        if why is None:
            continue
        if end - start == 1:
            yield start, why
        else:
            middle = (start + end) // 2
            parts += [(middle, end), (start, middle)]
