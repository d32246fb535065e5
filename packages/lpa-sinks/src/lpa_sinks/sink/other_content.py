"""Duplicates that are not the same event: their key is stored, with other content."""

from __future__ import annotations

from typing import Final

from clickhouse_connect.driver.client import Client

from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.schema.ddl import DEFAULT_DATABASE

_SQL: Final = SqlFiles(__package__)


def other_content(condition: str) -> str:
    """A query of quarantined events whose key is stored with other content, with the stored event beside their columns.

    ``condition`` is an SQL condition over the quarantine table. The text names the database ``livepeer_analytics``.
    """
    return _SQL.fill("other_content.sql", condition=condition).rstrip()


def count_other_content(client: Client, database: str, topic: str, partition: int, first: int) -> int:
    """How many there are in a partition from the offset ``first`` on. Raises the client's errors."""
    of_partition = (
        "source_topic = {topic:String} AND source_partition = {partition:UInt32} AND source_offset >= {first:UInt64}"
    )
    text = _SQL.fill("count_other_content.sql", other_content=other_content(of_partition))
    answer = client.query(
        text.replace(f"{DEFAULT_DATABASE}.", f"{quoted(database)}."),
        parameters={"topic": topic, "partition": partition, "first": first},
    )
    return int(answer.result_rows[0][0])
