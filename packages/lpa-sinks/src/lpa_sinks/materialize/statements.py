"""The statements that make rows of stored rows: projections of typed rows, rollups of facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.sql_files import SqlFiles

SQL: Final = SqlFiles(__package__)

PROJECTIONS: Final[Mapping[str, str]] = {
    "stream_ingest_metrics": "project_ingest_samples.sql",
    "network_capabilities": "project_capability_snapshots.sql",
    "network_capabilities_advertised": "project_capability_advertised.sql",
    "network_capabilities_model_constraints": "project_capability_model_constraints.sql",
    "network_capabilities_prices": "project_capability_prices.sql",
}
"""Typed table -> what projects its rows of ``ingestion_timestamp`` in ``[from, to)``, epoch milliseconds."""


def statement(name: str, database: str) -> str:
    """A statement of this package's SQL files for the database. Raises SinkMisconfigured for a name that is none."""
    return SQL.fill(name, database=quoted(database))
