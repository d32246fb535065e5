"""The SQL of recoveries, from its files."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from lpa_core.rejects import DLQ_TABLE, QUARANTINE_TABLE
from lpa_core.rows import RAW_TABLE
from lpa_core.validation.reasons import FailureClass
from lpa_sinks.schema.ddl import quoted


def sql(name: str, database: str) -> str:
    """The text of a file; ``$positions`` stands for a row per record that is stored, ``$raw`` for the raw table."""
    text = files("lpa_ops.recover").joinpath("sql", name).read_text(encoding="utf-8")
    raw, dead_letters, quarantine = (
        f"{quoted(database)}.{quoted(table.name)}" for table in (RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE)
    )
    # One that replays gave up is quarantined beside its dead letter, which holds the position.
    places = (raw, dead_letters, f"{quarantine} WHERE failure_class != '{FailureClass.REPLAY_EXHAUSTED.value}'")
    columns = "SELECT toString(source_topic) AS source_topic, source_partition, source_offset FROM"
    return Template(text).substitute(positions=" UNION ALL ".join(f"{columns} {place}" for place in places), raw=raw)
