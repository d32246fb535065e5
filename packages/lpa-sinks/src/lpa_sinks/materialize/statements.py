"""The statements that make rows of stored rows: projections of typed rows, rollups of facts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Final

from lpa_sinks.schema.ddl import quoted

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
    return Template(text(name)).substitute(database=quoted(database))


@cache
def text(name: str) -> str:
    """One of this package's SQL files."""
    return files("lpa_sinks.materialize").joinpath("sql", name).read_text(encoding="utf-8")
