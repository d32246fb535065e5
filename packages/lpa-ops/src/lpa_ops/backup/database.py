"""BACKUP and RESTORE of ClickHouse, a server or the embedded engine: it reads and writes the files itself."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.uris import scheme
from lpa_ops.backup.backup import DATABASE_FOLDER, BackupError
from lpa_ops.positions.set_aside_tables import is_set_aside
from lpa_ops.positions.stored_tables import table_names
from lpa_sinks.clickhouse.errors import describe, explain
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)

_LOOK_AGAIN_SECONDS: Final = 0.05
_NOT_PERMITTED: Final = (36, 497)
"""BAD_ARGUMENTS, with which a path outside ``<allowed_path>`` is refused, and ACCESS_DENIED."""


def back_up(client: Client, database: str, location: str, base: str = "") -> None:
    """Have a database written to the backup at ``location``; what the backup at ``base`` has is left out of it.

    So is what a recovery set aside: its parts may be ones that cannot be read. Raises BackupError.
    """
    settings = f" SETTINGS base_backup = {_destination(base)}" if base else ""
    left_out = ", ".join(f"`{name}`" for name in table_names(client, database) if is_set_aside(name))
    what = f"{quoted(database)} EXCEPT TABLES {left_out}" if left_out else quoted(database)
    _run(client, f"BACKUP DATABASE {what} TO {_destination(location)}{settings} ASYNC", location)


def bring_back(client: Client, database: str, location: str, base: str, target: str) -> None:
    """Make the database ``target`` from a backup; neither merges nor expiry have changed a row by then.

    Raises BackupError, also if the tables are there and not empty.
    """
    what = f"RESTORE DATABASE {quoted(database)} AS {quoted(target)}"
    _run(client, _restore(what, location, base, structure_only=1), location)
    _stop_merges(client, target)
    _run(client, _restore(what, location, base), location)


def bring_structure_back(client: Client, database: str, location: str, base: str, target: str) -> None:
    """Make what is missing of the database ``target``, without rows; what is there stays. Raises BackupError."""
    what = f"RESTORE DATABASE {quoted(database)} AS {quoted(target)}"
    given = {"structure_only": 1, "allow_different_database_def": 1, "allow_different_table_def": 1}
    _run(client, _restore(what, location, base, **given), location)


def bring_table_back(client: Client, database: str, target: str, table: str, location: str, base: str) -> None:
    """Make one table in the database ``target`` from a backup; no merge has changed a row by then.

    Raises BackupError, also if the table is there and not empty.
    """
    what = f"RESTORE TABLE {quoted(database)}.{quoted(table)} AS {quoted(target)}.{quoted(table)}"
    _run(client, _restore(what, location, base, structure_only=1), location)
    client.command(f"SYSTEM STOP MERGES {quoted(target)}.{quoted(table)}")
    _run(client, _restore(what, location, base), location)


def resume_merges(client: Client, database: str) -> None:
    """Let the tables of a restored database live."""
    for table in _tables(client, database):
        client.command(f"SYSTEM START MERGES {quoted(database)}.{table}")


def _restore(what: str, location: str, base: str, **settings: int) -> str:
    given = [f"{name} = {value}" for name, value in settings.items()]
    if base:
        given.append(f"base_backup = {_destination(base)}")
    return f"{what} FROM {_destination(location)}" + (f" SETTINGS {', '.join(given)}" if given else "") + " ASYNC"


def _stop_merges(client: Client, database: str) -> None:
    for table in _tables(client, database):
        client.command(f"SYSTEM STOP MERGES {quoted(database)}.{table}")


def _tables(client: Client, database: str) -> list[str]:
    return [f"`{name}`" for name in table_names(client, database)]


def _run(client: Client, statement: str, location: str) -> None:
    """Start it, and wait no matter how long it takes: no answer of a server comes later than its timeout."""
    try:
        id_ = client.query(statement).result_rows[0][0]
        while True:
            found = client.query(_SQL.text("operation.sql"), parameters={"id": id_}).result_rows
            status, error = found[0] if found else ("lost", "the server was restarted")
            if status in ("BACKUP_CREATED", "RESTORED"):
                return
            if status not in ("CREATING_BACKUP", "RESTORING"):
                raise BackupError(f"{location}: {_reason(error)}")
            time.sleep(_LOOK_AGAIN_SECONDS)
    except ClickHouseError as error:
        raise BackupError(f"{location}: ClickHouse: {describe(error)}: {_reason(explain(error))}") from None


def _reason(text: str) -> str:
    """ClickHouse's words on one line, and what to do where it may not write there."""
    line = " ".join(text.partition(". Stack trace")[0].partition("DB::Exception: ")[2].split()) or text
    if "allowed_path" in line or "not allowed for backups" in line:
        return f"{line[:300]}: allow the folder in the server's <backups><allowed_path>, or name an s3:// location"
    if "REPLICA_ALREADY_EXISTS" in line:
        return (
            f"{line[:300]}: replicated tables cannot be created next to the existing ones: verify the backup on "
            "another server, drop the database on all replicas, then restore it"
        )
    return line[:500]


def _destination(location: str) -> str:
    """Where ClickHouse finds the database of the backup at ``location``."""
    place = f"{location.rstrip('/')}/{DATABASE_FOLDER}"
    if scheme(location) == "file":
        return f"File({_literal(place)})"
    return f"S3({', '.join(map(_literal, (_s3_url(place, os.environ), *_s3_keys(os.environ))))})"


def _s3_url(place: str, environment: Mapping[str, str]) -> str:
    """As ClickHouse takes it; the same variables decide that the object store's client reads."""
    parts = urlsplit(place)
    endpoint = environment.get("AWS_ENDPOINT_URL") or environment.get("AWS_ENDPOINT")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{parts.netloc}{parts.path}"
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    return f"https://{parts.netloc}.s3.{region}.amazonaws.com{parts.path}"


def _s3_keys(environment: Mapping[str, str]) -> tuple[str, ...]:
    """ClickHouse hides them in its logs. Without any it uses what its own configuration has."""
    keys = environment.get("AWS_ACCESS_KEY_ID", ""), environment.get("AWS_SECRET_ACCESS_KEY", "")
    return keys if all(keys) else ()


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
