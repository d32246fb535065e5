"""Applies a migration, or takes it back.

What is added comes first and disturbs nobody. A view is cut over only after its new definition has stood beside the old
one and given the same rows over a window.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import attrs
import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_sinks.clickhouse.errors import describe, explain
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.schema.ddl import SQL, sql_file
from lpa_sinks.schema.migrations import (
    Applied,
    ComputedColumn,
    Migration,
    MigrationError,
    View,
    applied_migrations,
    remember,
)

_CANDIDATE: Final = "__next"
_TIME: Final = re.compile(r"\b(DateTime|Date)")
_NARROW: Final = re.compile(r"\bDateTime(?P<arguments>\('[^']*'\))?(?!\w)|\bDate(?!\w)")

_log = structlog.get_logger("lpa.schema")


@final
@attrs.frozen
class Comparison:
    """How a view's new definition compares with the one before. ``problem`` is empty if it may be cut over.

    Rows are not counted of a view that is new, or is defined like this already.
    """

    view: str
    rows_before: int
    rows_after: int
    problem: str = ""


def migrate(client: Client, database: str, migration: Migration, window_hours: int) -> list[Comparison]:
    """Apply a migration; safe to do again where it was interrupted.

    Raises MigrationError if a view does not compare: its additions stay, no view was changed; and where a column
    whose values were sent would be computed: then nothing was changed. Raises the client's errors.
    """
    for column in migration.computed:
        _require_computed(client, database, migration, column)
    for statement in migration.additions:
        client.command(statement)
    compared = _compared(client, database, migration.views, window_hours)
    problems = [each.problem for each in compared if each.problem]
    if problems:
        raise MigrationError(f"migration {migration}: {'; '.join(problems)}; no view was changed")
    begun = applied_migrations(client, database).get(str(migration))
    if begun is None or begun.state != "begun":  # else the views may be the new ones already
        previous = {view.name: _definition(client, database, view.name) for view in migration.views}
        begun = Applied(migration.number, migration.name, migration.checksum, "begun", previous)
        remember(client, database, begun)
    for view in migration.views:
        client.command(f"CREATE OR REPLACE VIEW {quoted(database)}.{quoted(view.name)} {view.definition}")
    remember(client, database, attrs.evolve(begun, state="applied"))
    _log.info("migration applied", migration=str(migration), views=[view.name for view in migration.views])
    return compared


def roll_back(client: Client, database: str, applied: Applied, migration: Migration | None) -> list[str]:
    """Bring back the views as they were before a migration, then take back what it added; return the views' names.

    ``migration`` holds what takes the additions back; None leaves them, which disturbs nobody. Raises MigrationError
    if a view of before could not be read: no view was changed. Raises the client's errors.
    """
    for name, definition in applied.previous_views.items():
        if definition:
            _require_readable(client, database, name, definition)
    for name, definition in applied.previous_views.items():
        target = f"{quoted(database)}.{quoted(name)}"
        if definition:
            client.command(re.sub(r"^CREATE VIEW\s", "CREATE OR REPLACE VIEW ", definition))
        else:
            client.command(f"DROP VIEW IF EXISTS {target} SYNC")
    for statement in migration.down if migration is not None else ():
        client.command(statement)
    remember(client, database, attrs.evolve(applied, state="rolled back"))
    _log.info("migration rolled back", migration=str(applied))
    return sorted(applied.previous_views)


def _require_computed(client: Client, database: str, migration: Migration, column: ComputedColumn) -> None:
    where = {"database": database, "table": column.table, "column": column.column}
    found = client.query(sql_file("column_default.sql"), parameters=where).result_rows
    if found != [(column.kind,)] and (found or not column.added):
        kind = "an alias" if column.kind == "ALIAS" else "MATERIALIZED"
        raise MigrationError(
            f"migration {migration}: {column.table}.{column.column} is not {kind}, and its values would be lost: "
            "add a column with another name; nothing was changed"
        )


def _require_readable(client: Client, database: str, view: str, definition: str) -> None:
    """Raise MigrationError if the view could not be read if it were defined so. Raises the client's errors."""
    candidate = f"{quoted(database)}.{quoted(view + _CANDIDATE)}"
    select = definition.partition(" AS ")[2]
    try:
        client.command(f"CREATE OR REPLACE VIEW {candidate} AS {select}")
        client.query(f"SELECT * FROM {candidate} LIMIT 1")
    except ClickHouseError as error:
        raise MigrationError(
            f"view {view} as it was before cannot be read ({describe(error)}: {explain(error)}); no view was changed: "
            "bring back what it reads from, or define it by another migration"
        ) from None
    finally:
        client.command(f"DROP VIEW IF EXISTS {candidate} SYNC")


def _compared(client: Client, database: str, views: Sequence[View], window_hours: int) -> list[Comparison]:
    """Compare each view's new definition with the one before.

    All candidates stand until the end, and each reads from those before it: it may need columns that they get.
    """
    try:
        return [
            _compare(client, database, view, [each.name for each in views[:number]], window_hours)
            for number, view in enumerate(views)
        ]
    finally:
        for view in reversed(views):
            client.command(f"DROP VIEW IF EXISTS {quoted(database)}.{quoted(view.name + _CANDIDATE)} SYNC")


def _compare(client: Client, database: str, view: View, before_it: Sequence[str], window_hours: int) -> Comparison:
    """``before_it``: views that have candidates."""
    definition = _definition(client, database, view.name)
    if definition and not definition.startswith("CREATE VIEW "):
        problem = f"{view.name} is not a view, and would be replaced: give the view another name"
        return Comparison(view.name, 0, 0, problem)
    candidate = f"{view.name}{_CANDIDATE}"
    selected = view.definition
    for name in before_it:
        selected = re.sub(rf"\b{name}\b", f"{name}{_CANDIDATE}", selected)
    client.command(f"CREATE OR REPLACE VIEW {quoted(database)}.{quoted(candidate)} {selected}")
    if not definition or _definition(client, database, candidate).replace(_CANDIDATE, "") == definition:
        return Comparison(view.name, 0, 0)  # as in a database that is new
    before, after = (_columns(client, database, name) for name in (view.name, candidate))
    lost = [f"{name} {type_}" for name, type_ in before.items() if after.get(name) not in (type_, _wider(type_))]
    if lost:
        return Comparison(view.name, 0, 0, f"view {view.name} would no longer have {', '.join(lost)}")
    columns = {name: after[name] for name in before}
    time = next((name for name, type_ in before.items() if _TIME.search(type_)), None)
    old, new = (_content(client, database, name, columns, time, window_hours) for name in (view.name, candidate))
    if not old[0]:  # a window in which nothing happened proves nothing
        time = None
        old, new = (_content(client, database, name, columns, None, 0) for name in (view.name, candidate))
    problem = ""
    if old != new and not view.differs:
        over = f"the last {window_hours} h" if time else "all rows"
        problem = (
            f"view {view.name} gives other rows than before over {over} ({old[0]:,} before, {new[0]:,} after): "
            f"correct it, or write `-- differs: {view.name}: why` into up.sql if that is meant"
        )
    return Comparison(view.name, old[0], new[0], problem)


def _content(
    client: Client, database: str, view: str, columns: Mapping[str, str], time: str | None, window_hours: int
) -> tuple[Any, ...]:
    """How many rows there are, and a sum of what they hold as these types."""
    hours = window_hours if time else 0
    query = SQL.fill(
        "compare_views.sql",
        columns=", ".join(f"CAST({quoted(name)} AS {type_})" for name, type_ in columns.items()),
        view=f"{quoted(database)}.{quoted(view)}",
        condition=f"{quoted(time)} >= now() - INTERVAL {{hours:UInt32}} HOUR" if time else "{hours:UInt32} = 0",
    )
    row: tuple[Any, ...] = tuple(client.query(query, parameters={"hours": hours}).result_rows[0])
    return row


def _columns(client: Client, database: str, view: str) -> dict[str, str]:
    where = {"database": database, "name": view}
    found = client.query(sql_file("view_columns.sql"), parameters=where).result_rows
    return {name: str(type_) for name, type_ in found}


def _wider(type_: str) -> str:
    """The type of times that holds all times of this one, and more of them."""

    def wider(narrow: re.Match[str]) -> str:
        if narrow[0] == "Date":
            return "Date32"
        zone = (narrow["arguments"] or "").strip("()")
        return f"DateTime64({', '.join(filter(None, ('3', zone)))})"

    return _NARROW.sub(wider, type_)


def _definition(client: Client, database: str, view: str) -> str:
    """The statement that makes the view; empty if there is none."""
    found = client.query(sql_file("view_definition.sql"), parameters={"database": database, "name": view}).result_rows
    return found[0][0] if found else ""
