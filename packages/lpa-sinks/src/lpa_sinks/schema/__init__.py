"""The tables and views in ClickHouse: their DDL, and whether a database has them."""

from lpa_sinks.schema.apply import apply, planned
from lpa_sinks.schema.check import Drift, DriftKind, check, check_live
from lpa_sinks.schema.ddl import statements
from lpa_sinks.schema.dictionary import markdown
from lpa_sinks.schema.show import show, shown

__all__ = ["Drift", "DriftKind", "apply", "check", "check_live", "markdown", "planned", "show", "shown", "statements"]
