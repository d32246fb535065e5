"""The schema as text, for people and for ``clickhouse-client``."""

from __future__ import annotations

from collections.abc import Iterable

from lpa_core.tables.table import Table
from lpa_sinks.schema.cluster import statements_on_cluster
from lpa_sinks.schema.ddl import statements


def shown(tables: Iterable[Table], database: str, cluster: str | None = None) -> list[str]:
    """Every statement that makes the schema in ``database``, on one server or on a cluster."""
    return statements_on_cluster(tables, database, cluster) if cluster else statements(tables, database)


def show(tables: Iterable[Table], database: str, cluster: str | None = None) -> str:
    """The same as a text, ready to be run by ``clickhouse-client``."""
    return "".join(f"{statement};\n\n" for statement in shown(tables, database, cluster)).rstrip("\n") + "\n"
