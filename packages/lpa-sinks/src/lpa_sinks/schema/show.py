"""The schema as text, for people and for ``clickhouse-client``."""

from __future__ import annotations

from collections.abc import Iterable

from lpa_core.tables import Table
from lpa_sinks.schema.ddl import statements


def show(tables: Iterable[Table], database: str) -> str:
    """Every statement that makes the schema in ``database``, ready to be run by ``clickhouse-client``."""
    return "".join(f"{statement};\n\n" for statement in statements(tables, database)).rstrip("\n") + "\n"
