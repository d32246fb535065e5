"""The SQL about positions, from its files."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table
from lpa_core.validation.reasons import FailureClass
from lpa_sinks.schema.ddl import quoted


def filled_in(text: str, database: str, *, with_gaps: bool = True) -> str:
    """The statement for a database.

    ``$positions`` stands for a row per record that is stored, ``$raw`` for the raw table, ``$gaps`` for the known gaps:
    none without ``with_gaps``, for a database that has no table of them.
    """
    quarantine = f"{_name(QUARANTINE_TABLE, database)} WHERE failure_class != '{FailureClass.REPLAY_EXHAUSTED.value}'"
    # One that replays gave up is quarantined beside its dead letter, which holds the position.
    places = (_name(RAW_TABLE, database), _name(DLQ_TABLE, database), quarantine)
    columns = "SELECT toString(source_topic) AS source_topic, source_partition, source_offset, ingestion_timestamp FROM"
    return Template(text).substitute(
        positions=" UNION ALL ".join(f"{columns} {place}" for place in places),
        raw=_name(RAW_TABLE, database),
        gaps=f"SELECT * FROM {_name(KNOWN_GAPS_TABLE, database)}" if with_gaps else text_of("no_gaps.sql"),
    )


def sql(name: str, database: str, *, with_gaps: bool = True) -> str:
    """The text of one of this folder's files, filled in."""
    return filled_in(text_of(name), database, with_gaps=with_gaps)


def text_of(name: str) -> str:
    """The text of one of this folder's files."""
    return files("lpa_ops.positions").joinpath("sql", name).read_text(encoding="utf-8")


def _name(table: Table, database: str) -> str:
    return f"{quoted(database)}.{quoted(table.name)}"
