"""Takes rows out of tables that stand there beside others of the same position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, TypeVar

from clickhouse_connect.driver.client import Client

from lpa_core.delivery.consumer_group import Partition
from lpa_core.tables.row_layout import QUARANTINE_TABLE, RAW_TABLE
from lpa_core.validation.reasons import FailureClass
from lpa_ops.positions.doubled import PLACES, Kept, Misplaced, ingested_tables
from lpa_ops.positions.stored_tables import StoredTable
from lpa_ops.recover.statements import SQL

T = TypeVar("T")

_AT_ONCE: Final = 500
"""Bounds the length of a statement's parameters, which travel in a URL."""
_GIVEN_UP: Final = f" AND failure_class != '{FailureClass.REPLAY_EXHAUSTED.value}'"
"""Beside the dead letter of a record that replays gave up: a row of a batch of its own, and no second record."""
_SYNCHRONOUSLY: Final = {"lightweight_deletes_sync": 2, "mutations_sync": 2}


def remove(client: Client, database: str, kept: Sequence[Kept], misplaced: Sequence[Misplaced]) -> int:
    """Leave of these positions only what is to stay, and return how many rows went. Raises the client's errors.

    Done again it finds nothing left to do.
    """
    tables = ingested_tables(client, database)
    before = sum(_rows(client, table) for table in tables)
    for (topic, number), run in groupby(kept, key=lambda each: (each.topic, each.partition)):
        for some in _portions(list(run)):
            where = {
                "topic": topic,
                "partition": number,
                "lowest": some[0].first,
                "firsts": [each.first for each in some],
                "behinds": [each.behind for each in some],
                "batch_times": [each.batch_time for each in some],
            }
            for table in tables:
                _delete(client, table, "remove_batches.sql", where)
    together = sorted(misplaced, key=_place)
    for (topic, number, place), beside in groupby(together, key=lambda each: (each.topic, each.partition, each.place)):
        for few in _portions(list(beside)):
            _settle(client, tables, Partition(topic, number), place, few)
    return before - sum(_rows(client, table) for table in tables)


def _settle(
    client: Client, tables: Iterable[StoredTable], partition: Partition, place: str, some: Sequence[Misplaced]
) -> None:
    """Leave positions in one place, once."""
    where = {"topic": partition.topic, "partition": partition.number, "offsets": [each.offset for each in some]}
    for table in tables:
        made_of_event = table.name not in PLACES
        if table.name == place or (made_of_event and place == RAW_TABLE.name):
            same = "".join(f", `{column}`" for column in table.columns) if made_of_event else ""
            times = {"times": [each.times for each in some]}
            _delete_repeated(client, table, _text("repeated_rows.sql", table, and_columns=same), {**where, **times})
        else:
            _delete(client, table, "remove_positions.sql", where)


def _delete_repeated(client: Client, table: StoredTable, query: str, where: Mapping[str, Any]) -> None:
    rows = client.query(query, parameters=dict(where)).result_rows
    for some in _portions(rows):
        # Rows that have moved to another part since are not found there, and stay: the next run sees them.
        lie = {"parts": [part for part, _ in some], "rows": [row for _, row in some]}
        _delete(client, table, "remove_rows.sql", {**where, **lie})


def _delete(client: Client, table: StoredTable, file: str, where: Mapping[str, Any]) -> None:
    client.command(_text(file, table), parameters=dict(where), settings=_SYNCHRONOUSLY)


def _rows(client: Client, table: StoredTable) -> int:
    return int(client.query(f"SELECT count() FROM {table.target}").result_rows[0][0])


def _text(file: str, table: StoredTable, **more: str) -> str:
    but = _GIVEN_UP if table.name == QUARANTINE_TABLE.name else ""
    return SQL.fill(file, table=table.target, but=but, **more)


def _portions(some: Sequence[T]) -> Iterator[Sequence[T]]:
    return (some[start : start + _AT_ONCE] for start in range(0, len(some), _AT_ONCE))


def _place(each: Misplaced) -> tuple[str, int, str, int]:
    return each.topic, each.partition, each.place, each.offset
