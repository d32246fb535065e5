"""Whether a database holds any record at all."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from clickhouse_connect.driver.client import Client

from lpa_core.rejects import DLQ_TABLE, QUARANTINE_TABLE
from lpa_core.rows import RAW_TABLE
from lpa_core.tables import Table
from lpa_sinks.schema.ddl import quoted


def is_empty(client: Client, database: str) -> bool:
    """Whether no record is stored, accepted or rejected. Raises the client's errors."""

    def name(table: Table) -> str:
        return f"{quoted(database)}.{quoted(table.name)}"

    text = files("lpa_sinks.clickhouse").joinpath("sql", "any_row.sql").read_text(encoding="utf-8")
    query = Template(text).substitute(
        raw=name(RAW_TABLE), dead_letters=name(DLQ_TABLE), quarantine=name(QUARANTINE_TABLE)
    )
    ((rows,),) = client.query(query).result_rows
    return not rows
