"""The data dictionary: every table and view with its grain, source and columns.

In the SQL files the comment before a statement says what a row is and what it comes from; that of a column its unit and
meaning. Columns of events say themselves where in the event they come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, final

import attrs

from lpa_core.tables.table import Column, Table
from lpa_sinks.schema.ddl import (
    DEFAULT_DATABASE,
    ONLY_OF_VERSIONS,
    SCHEMA_FILES,
    VERSIONS,
    plugin_table,
    plugin_tables,
    sql_file,
)

_TITLES: Final = {
    "01-schema.sql": "Events and rejects",
    "02-facts.sql": "Facts and rollups",
    "03-dimensions.sql": "Dimensions",
    "04-views.sql": "Views",
    "05-replay.sql": "Replays",
    "06-job-views.sql": "Views of jobs",
}
_HEAD: Final = """\
# Data dictionary

Made by `./dev pages` of the SQL files in `configs/clickhouse-init` and the columns of events. Times are UTC. If a
meaning is empty, the name says it. "From" is a path in an event's `data`, or in an item of it if an event makes
several rows; `$.` begins one in its envelope ([all forms](plugins.md#lpa_event_types)). `lpa schema show --markdown`
prints this page with the tables of installed plugins.

Facts, rollups and dimensions are stored in `<name>_versions` and read as `<name>`, a view with one row, the latest, of
each key. `org_key` in a sorting key is `org` ([why](decisions/0148-orgs-in-keys.md)). Each table named in section
"{events}" has a view `raw_<table>` too, its name in earlier systems.
""".format(events=_TITLES["01-schema.sql"])
_STATEMENT: Final = re.compile(
    rf"((?:^-- [^\n]*\n)+)CREATE (?:TABLE|VIEW) IF NOT EXISTS {DEFAULT_DATABASE}\.(\w+)\n\((.*?)^\)(.*?);$",
    re.MULTILINE | re.DOTALL,
)
_COLUMN: Final = re.compile(
    r"^ {4}(?!INDEX )(\w+) (.+?)(?: (?:DEFAULT|MATERIALIZED|ALIAS) .+?)?(?: COMMENT '([^']*)')?,?$", re.MULTILINE
)
_STORAGE: Final = {
    "sorted by": re.compile(r"^ORDER BY (.+)$", re.MULTILINE),
    "in months of": re.compile(r"^PARTITION BY toYYYYMM\((.+)\)$", re.MULTILINE),
    "kept for": re.compile(r"^TTL\s.+? \+ INTERVAL (\d+ DAY),?$", re.MULTILINE),
}


@final
@attrs.frozen
class Entry:
    """A table or view. ``columns`` has name, type and meaning; ``storage`` is empty for a view."""

    name: str
    meaning: str
    columns: tuple[tuple[str, str, str], ...]
    storage: tuple[str, ...]


def entries(file: str) -> Iterator[Entry]:
    """The tables and views that one of :data:`~lpa_sinks.schema.ddl.SCHEMA_FILES` explains, in its order."""
    yield from _entries(sql_file(file))


def _entries(sql: str) -> Iterator[Entry]:
    for comment, name, body, rest in (found.groups() for found in _STATEMENT.finditer(sql)):
        storage = [
            f"{what} `{value[1].lower() + 's' if what == 'kept for' else value[1]}`"
            for what, pattern in _STORAGE.items()
            if (value := pattern.search(rest))
        ]
        meaning = " ".join(comment.replace("-- ", "").split())
        yield Entry(name, meaning, tuple(_COLUMN.findall(body)), tuple(storage))


def markdown(tables: Sequence[Table]) -> str:
    """The dictionary as a page; ``tables`` are all that ingestion writes, those of plugins among them."""
    sections = {_TITLES.get(file, file): list(entries(file)) for file in SCHEMA_FILES}
    sections["Tables of plugins"] = [
        entry
        for table in plugin_tables(tables)
        for entry in _entries(f"-- One row per event, or per item of one.\n{plugin_table(table)}")
    ]
    by_name = {table.name: table for table in tables}
    lines = [_HEAD]
    for title, found in sections.items():
        if found:
            lines.append(f"## {title}\n")
        for entry in found:
            lines.append(_section(entry, by_name.get(entry.name)))
    return "\n".join(lines)


def _section(entry: Entry, table: Table | None) -> str:
    name = entry.name.removesuffix(VERSIONS)
    storage = ""
    if entry.storage:
        stored = f"Stored in `{entry.name}`, " if name != entry.name else "Stored "
        storage = f"\n{stored}{', '.join(entry.storage)}.\n"
    origins = {column.name: _origin(column) for column in table.columns} if table else {}
    rows = "".join(
        f"| `{column}` | `{type_}` | {_cell(origins.get(column, ''), meaning)} |\n"
        for column, type_, meaning in entry.columns
        if column not in ONLY_OF_VERSIONS
    )
    return f"### {name}\n\n{entry.meaning}\n{storage}\n| column | type | meaning |\n|---|---|---|\n{rows}"


def _origin(column: Column) -> str:
    if column.at is None:
        return ""
    return f"from `{column.at}`" + (f", else `{column.otherwise}`" if column.otherwise else "")


def _cell(*said: str) -> str:
    return "; ".join(filter(None, said)).replace("|", "\\|")
