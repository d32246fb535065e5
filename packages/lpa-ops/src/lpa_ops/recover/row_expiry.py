"""Whether rows of a table can have expired."""

from __future__ import annotations

import re
import time
from typing import Final

from clickhouse_connect.driver.client import Client

from lpa_sinks.schema.ddl import sql_file

_DAYS: Final = re.compile(r"(?:INTERVAL (\d+) DAY|toIntervalDay\((\d+)\))")


def may_have_expired(client: Client, database: str, table: str, oldest: int) -> bool:
    """Whether a row that came at ``oldest`` (epoch s) can have expired by now. Raises the client's errors."""
    where = {"database": database, "name": table}
    found = client.query(sql_file("view_definition.sql"), parameters=where).result_rows
    days = [int(one or other) for one, other in _DAYS.findall(found[0][0])] if found else []
    return bool(days) and oldest + min(days) * 86_400 < time.time()
