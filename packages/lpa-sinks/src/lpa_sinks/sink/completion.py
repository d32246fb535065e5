"""Writes the missing rows of blocks whose tokens are remembered, and withdraws rows for good.

ClickHouse stores a block's token before the rows are in their place. If it is killed in between, it drops the
repetition, although rows are missing. Only the table itself shows this. Another worker may complete the same block
meanwhile. The server therefore decides about each row at the insert: it adds no row that is there or was withdrawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, final
from uuid import uuid4

import attrs
import structlog
from clickhouse_connect.driver.client import Client

from lpa_core.tables.table import Block, Table
from lpa_sinks.clickhouse.inline_rows import SETTINGS, carried_columns
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)

_TOO_MANY: Final = 100

_SYNCHRONOUSLY: Final = {"lightweight_deletes_sync": 2, "mutations_sync": 2}

_log = structlog.get_logger("lpa.sinks.clickhouse")


@final
@attrs.frozen
class TableTarget:
    """A table of a database, as statements need it.

    Attributes:
        target: its name, qualified and quoted.
        withdrawn: the same of :data:`~lpa_sinks.schema.ddl.WITHDRAWN_TABLE`.
    """

    table: Table
    target: str
    withdrawn: str

    def sql(self, name: str, **more: str) -> str:
        return _SQL.fill(name, table=self.target, withdrawn=self.withdrawn, **more)


def query_id(table: Table, topic: str, partition: int) -> str:
    """A new id for an insert of a partition's rows into a table."""
    return f"{_query_id_prefix(table, topic, partition)}{uuid4().hex}"


def complete(
    client: Client,
    place: TableTarget,
    block: Block,
    settings: Mapping[str, int | str],
    wait_for_others: Callable[[Table, str, int], None],
) -> None:
    """Insert the block's rows that its table lacks. Raises the client's errors."""
    for number in range(_TOO_MANY):
        missing = missing_rows(client, place, block)
        if not missing:
            return
        # An insert that has written its token down and not yet put its rows in place would add them later.
        wait_for_others(block.table, block.topic, block.partition)
        missing = missing_rows(client, place, block)
        if not missing:
            return
        _log.warning("rows were missing although their token was remembered", table=place.table.name, rows=len(missing))
        # The tokens are the same whoever completes the block, so that two at once add nothing twice. One that was
        # remembered without its rows is followed by the next.
        token = f"{block.token}:completion:{number}"
        some = [[values[index] for index in missing] for values in block.columns]
        client.command(
            place.sql(
                "complete.sql",
                columns=", ".join(f"`{name}`" for name in block.table.column_names),
                rows=carried_columns(block.table.columns, some),
            ),
            parameters=_where(block),
            settings={
                **settings,
                **SETTINGS,
                "insert_deduplication_token": token,
                "query_id": query_id(block.table, block.topic, block.partition),
            },
        )
    raise RuntimeError(f"{block!r} could not be completed in {_TOO_MANY} attempts")


def withdraw(
    client: Client,
    place: TableTarget,
    topic: str,
    partition: int,
    offsets: Sequence[int],
    wait_for_others: Callable[[Table, str, int], None],
) -> None:
    """Delete the rows of these positions, and see to it that nobody completes them. Raises the client's errors."""
    where: dict[str, Any] = {"topic": topic, "partition": partition, "offsets": list(offsets)}
    client.command(place.sql("note_withdrawal.sql"), parameters={**where, "table_name": place.table.name})
    # Whatever began before the withdrawal was noted ends before the rows are looked for.
    wait_for_others(place.table, topic, partition)
    # Deleting writes to every part of the table even where it finds nothing.
    if client.query(place.sql("came_from.sql"), parameters=where).result_rows:
        client.command(place.sql("withdraw.sql"), parameters=where, settings=_SYNCHRONOUSLY)


def withdrawn_offsets(
    client: Client, place: TableTarget, topic: str, partition: int, first: int, end: int
) -> list[int]:
    """The offsets whose rows were withdrawn from any table. Raises the client's errors."""
    where = {"topic": topic, "partition": partition, "first": first, "end": end}
    return [offset for (offset,) in client.query(place.sql("withdrawn.sql"), parameters=where).result_rows]


def inserts_under_way(client: Client, inserts: Iterable[tuple[Table, str, int]]) -> bool:
    """Whether the server that answers is inserting rows of one of these partitions into the table beside it."""
    running = {"prefixes": [_query_id_prefix(*insert) for insert in inserts]}
    return bool(client.query(_SQL.text("running.sql"), parameters=running).result_rows[0][0])


def missing_rows(client: Client, place: TableTarget, block: Block) -> list[int]:
    """The indexes of the block's rows that are not in the table and were not withdrawn. Raises the client's errors."""
    where = _where(block)
    present = {offset for (offset,) in client.query(place.sql("present.sql"), parameters=where).result_rows}
    return [index for index, offset in enumerate(block.offsets) if offset not in present]


def _where(block: Block) -> dict[str, Any]:
    return {
        "table_name": block.table.name,
        "topic": block.topic,
        "partition": block.partition,
        "first": min(block.offsets),
        "last": max(block.offsets),
        "batch_time": block.columns[block.table.column_names.index("ingestion_timestamp")][0],
    }


def _query_id_prefix(table: Table, topic: str, partition: int) -> str:
    return f"lpa-{hashlib.sha256(f'{topic}:{partition}:{table.name}'.encode()).hexdigest()[:24]}-"
