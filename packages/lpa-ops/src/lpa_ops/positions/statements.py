"""The SQL about positions, from its files."""

from __future__ import annotations

from string import Template
from typing import Final

from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.validation.reasons import FailureClass
from lpa_sinks.clickhouse.names import qualified
from lpa_sinks.clickhouse.sql_files import SqlFiles

SQL: Final = SqlFiles(__package__)


def filled_in(text: str, database: str, *, with_gaps: bool = True) -> str:
    """The statement for a database.

    ``$positions`` stands for a row per record that is stored, ``$raw`` for the raw table, ``$gaps`` for the known gaps:
    none without ``with_gaps``, for a database that has no table of them.
    """
    quarantine = (
        f"{qualified(database, QUARANTINE_TABLE.name)} WHERE failure_class != '{FailureClass.REPLAY_EXHAUSTED.value}'"
    )
    # One that replays gave up is quarantined beside its dead letter, which holds the position.
    places = (qualified(database, RAW_TABLE.name), qualified(database, DLQ_TABLE.name), quarantine)
    columns = "SELECT toString(source_topic) AS source_topic, source_partition, source_offset, ingestion_timestamp FROM"
    return Template(text).substitute(
        positions=" UNION ALL ".join(f"{columns} {place}" for place in places),
        raw=qualified(database, RAW_TABLE.name),
        gaps=f"SELECT * FROM {qualified(database, KNOWN_GAPS_TABLE.name)}" if with_gaps else SQL.text("no_gaps.sql"),
    )


def sql(name: str, database: str, *, with_gaps: bool = True) -> str:
    """The text of one of this folder's files, filled in."""
    return filled_in(SQL.text(name), database, with_gaps=with_gaps)
