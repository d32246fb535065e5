"""Finds which rows of a block cannot be stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from lpa_core.tables.table import Block, Column
from lpa_sinks.clickhouse.errors import ErrorKind, classify, describe
from lpa_sinks.clickhouse.insert import encode, fits, insert, insert_settings
from lpa_sinks.clickhouse.types import column_type

Refusal = Callable[[int, int], str | None]
"""Why the rows from the first index up to the second cannot be stored together, or None if they can."""


def refused_rows(client: Client, target: str, block: Block) -> dict[int, str]:
    """Index -> reason, without values, for each row of the block that can never be stored.

    Rows that cannot be encoded come first: if there are any, ClickHouse is not asked about the others. It is asked
    by inserting parts of the block into a temporary table made like the target, which keeps no rows but computes the
    same columns and checks the same constraints. Empty if every row could be stored alone.

    Args:
        target: the table's name, qualified and quoted.

    Raises the client's errors, other than those that are about rows.
    """
    return _not_encodable(block.table.columns, block.columns) or _not_storable(client, target, block)


def _not_encodable(columns: Sequence[Column], data: Sequence[Sequence[Any]]) -> dict[int, str]:
    refused: dict[int, str] = {}
    for column, values in zip(columns, data, strict=True):
        why = f"column {column.name} cannot hold the value as {column_type(column)}"

        def refusal(
            start: int, end: int, column: Column = column, values: Sequence[Any] = values, why: str = why
        ) -> str | None:
            return None if fits(column, values[start:end]) else why

        for index, reason in _search(len(values), refusal):
            refused.setdefault(index, reason)
    return refused


def _not_storable(client: Client, target: str, block: Block) -> dict[int, str]:
    settings = insert_settings(client)
    with _scratch_copy(client, target) as scratch:

        def refusal(start: int, end: int) -> str | None:
            part = [values[start:end] for values in block.columns]
            try:
                encoded = encode(client, block.table.columns, part)
                insert(client, scratch, block.table.columns, encoded, settings)
            except Exception as error:
                if classify(error) is not ErrorKind.ROW:
                    raise
                return describe(error)
            return None

        return dict(_search(len(block), refusal))


@contextmanager
def _scratch_copy(client: Client, target: str) -> Iterator[str]:
    """A table like ``target`` that keeps nothing. Only this session sees it, and it goes with the session."""
    name = f"`lpa_scratch_{uuid4().hex}`"
    client.command(f"CREATE TEMPORARY TABLE {name} AS {target} ENGINE = Null")
    try:
        yield name
    finally:
        client.command(f"DROP TEMPORARY TABLE {name}")


def _search(count: int, refusal: Refusal) -> Iterator[tuple[int, str]]:
    """Halve what is refused until single rows are left."""
    parts = [(0, count)] if count else []
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
