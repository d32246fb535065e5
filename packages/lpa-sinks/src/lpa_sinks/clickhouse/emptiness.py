"""Whether a database holds any record: at all, or of a partition."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from clickhouse_connect.driver.client import Client

from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table
from lpa_sinks.schema.ddl import quoted


def is_empty(client: Client, database: str) -> bool:
    """Whether no record is stored, accepted or rejected. Raises the client's errors."""
    ((rows,),) = client.query(_sql("any_row.sql", database)).result_rows
    return not rows


def holds(client: Client, database: str, topic: str, partition: int) -> bool:
    """Whether a record of the partition is stored, accepted or rejected. Raises the client's errors."""
    where = {"topic": topic, "partition": partition}
    ((rows,),) = client.query(_sql("any_row_of_partition.sql", database), parameters=where).result_rows
    return bool(rows)


def _sql(file: str, database: str) -> str:
    def name(table: Table) -> str:
        return f"{quoted(database)}.{quoted(table.name)}"

    text = files("lpa_sinks.clickhouse").joinpath("sql", file).read_text(encoding="utf-8")
    return Template(text).substitute(
        raw=name(RAW_TABLE), dead_letters=name(DLQ_TABLE), quarantine=name(QUARANTINE_TABLE)
    )
