"""Names of databases, tables and columns in statements."""

from __future__ import annotations

from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.uris import AddressRefused, require_identifier


def quoted(identifier: str) -> str:
    """The identifier in backticks. Raises SinkMisconfigured if it is more than letters, digits, underscores."""
    try:
        return f"`{require_identifier(identifier, 'the name')}`"
    except AddressRefused as refused:
        raise SinkMisconfigured(str(refused)) from None


def qualified(database: str, table: str) -> str:
    """The table's name as statements need it: with its database, both in backticks. Raises SinkMisconfigured."""
    return f"{quoted(database)}.{quoted(table)}"
