"""Which grants the ingestion needs of a ClickHouse server, and which of them its user lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_sinks.clickhouse.names import quoted

if TYPE_CHECKING:
    from clickhouse_connect.driver import Client

GRANTS: Final = ("SELECT", "INSERT", "ALTER DELETE")
"""On all tables of the database: rows are compared before a repetition, and withdrawn where a later table refuses."""
GLOBAL_GRANTS: Final = ("CREATE TEMPORARY TABLE",)
"""On everything: ClickHouse wants it of a statement that carries rows with it, as those that complete a block do."""


def missing(client: Client, database: str) -> list[str]:
    """What the user lacks, as a GRANT names it; nothing if the server cannot be asked (CHECK GRANT is newer)."""
    everywhere = [(grant, f"{quoted(database)}.*") for grant in GRANTS] + [(grant, "*.*") for grant in GLOBAL_GRANTS]
    lacking = []
    for grant, where in everywhere:
        try:
            # In small letters: whoever looks for deletions in a server's log of statements finds none here.
            ((granted,),) = client.query(f"CHECK GRANT {grant.lower()} ON {where}").result_rows
        except ClickHouseError:
            return []
        if not int(granted):
            lacking.append(f"{grant} ON {where}")
    return lacking
