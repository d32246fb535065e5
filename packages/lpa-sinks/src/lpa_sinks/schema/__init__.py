"""The tables and views in ClickHouse: their DDL, and whether a database has them."""

from lpa_sinks.schema.apply import apply
from lpa_sinks.schema.check import Drift, DriftKind, check
from lpa_sinks.schema.ddl import statements
from lpa_sinks.schema.show import show

__all__ = ["Drift", "DriftKind", "apply", "check", "show", "statements"]
