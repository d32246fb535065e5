"""Names of databases, tables and columns in statements."""

from __future__ import annotations

import re
from typing import Final

from lpa_core.sinks.sink import SinkMisconfigured

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def quoted(identifier: str) -> str:
    """The identifier in backticks. Raises SinkMisconfigured if it is more than letters, digits, underscores."""
    if _IDENTIFIER.fullmatch(identifier) is None:
        raise SinkMisconfigured(
            f"{identifier!r} cannot name a database, table or column: use letters, digits and underscores"
        )
    return f"`{identifier}`"


def qualified(database: str, table: str) -> str:
    """The table's name as statements need it: with its database, both in backticks. Raises SinkMisconfigured."""
    return f"{quoted(database)}.{quoted(table)}"
