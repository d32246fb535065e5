"""The layers that a fixture goes through, as text that can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final, final

import attrs

from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Ignored, Verdict
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table
from lpa_replay.database import ReplayDatabase

LAYERS: Final = ("decoded", "typed", "facts", "rollups")
"""In the order in which one is made of the other."""
_DERIVED: Final = {"fact_": "facts", "dim_": "facts", "agg_": "rollups"}
"""What the names of derived tables begin with."""


@final
@attrs.frozen(repr=False)
class Dump:
    """A table of a layer: its rows as JSON text, in an order of their own."""

    layer: str
    table: str
    rows: tuple[str, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256("\n".join(self.rows).encode()).hexdigest()


def decoded(verdicts: Sequence[Verdict]) -> Dump:
    """What the pipeline says of each record."""
    return Dump("decoded", "verdicts", tuple(_said(number, verdict) for number, verdict in enumerate(verdicts)))


def dumps(database: ReplayDatabase, typed: Sequence[Table]) -> Iterator[Dump]:
    """Every table that has rows of a layer: those that ingestion writes, and whatever is derived from them."""
    names = [
        name for (name,) in database.rows("list the tables", database.sql("table_names.sql"), database=database.name)
    ]
    ingested = [table.name for table in (*typed, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE)]
    for name in ingested:
        yield _dump(database, "typed", name)
    for layer in LAYERS[2:]:
        for name in sorted(names):
            # A table of versions is read through the view that shows the latest of each row.
            hidden = name.endswith("_versions") and name.removesuffix("_versions") in names
            if not hidden and name not in ingested and _layer(name) == layer:
                yield _dump(database, layer, name)


def _layer(name: str) -> str:
    return next((layer for prefix, layer in _DERIVED.items() if name.startswith(prefix)), "")


def _dump(database: ReplayDatabase, layer: str, table: str) -> Dump:
    columns = [
        name
        for (name,) in database.rows(
            f"list the columns of {table}", database.sql("lasting_columns.sql"), database=database.name, table=table
        )
    ]
    sql = database.sql("dump.sql", table=database.table(table), columns=", ".join(f"`{name}`" for name in columns))
    rows = database.rows(f"read {table}", sql)
    return Dump(layer, table, tuple(sorted(row for (row,) in rows)))


def _said(number: int, verdict: Verdict) -> str:
    if isinstance(verdict, Rejected):
        failure = verdict.failure
        return f"{number} rejected {failure.stage} {failure.failure_class} {failure.reason} {failure.details}"
    if isinstance(verdict, Ignored):
        return f"{number} ignored {verdict.reason} {verdict.event_type} {verdict.event_subtype}"
    return f"{number} accepted {verdict.dedup_strategy} {verdict.dedup_key} rows {len(verdict.rows)}"
