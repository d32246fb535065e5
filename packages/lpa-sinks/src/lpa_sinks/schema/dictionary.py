"""The data dictionary: every table and view with its grain, source and columns, made of the SQL files alone.

The comment before a statement says what a row is and what it comes from; that of a column its unit and meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, final

import attrs

from lpa_sinks.schema.ddl import DEFAULT_DATABASE, SCHEMA_FILES, VERSIONS, sql_file

_TITLES: Final = {
    "01-schema.sql": "Events and rejects",
    "02-facts.sql": "Facts and rollups",
    "03-dimensions.sql": "Dimensions",
    "04-views.sql": "Views",
    "05-replay.sql": "Replays",
}
_HEAD: Final = """\
# Data dictionary

Made by `./dev pages` of the SQL files in `configs/clickhouse-init`. Times are UTC. Where a meaning is empty the name
says it.

Facts, rollups and dimensions are stored in `<name>_versions` and read as `<name>`, a view with one row, the latest, of
each key. Each table named in section "{events}" has a view `raw_<table>` too, its name in earlier systems.
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
    "kept for": re.compile(r"^TTL .+ \+ INTERVAL (\d+ DAY)$", re.MULTILINE),
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
    for comment, name, body, rest in (found.groups() for found in _STATEMENT.finditer(sql_file(file))):
        storage = [
            f"{what} `{value[1].lower() + 's' if what == 'kept for' else value[1]}`"
            for what, pattern in _STORAGE.items()
            if (value := pattern.search(rest))
        ]
        meaning = " ".join(comment.replace("-- ", "").split())
        yield Entry(name, meaning, tuple(_COLUMN.findall(body)), tuple(storage))


def markdown() -> str:
    """The dictionary as a page."""
    lines = [_HEAD]
    for file in SCHEMA_FILES:
        found = list(entries(file))
        if found:
            lines.append(f"## {_TITLES.get(file, file)}\n")
        for entry in found:
            lines.append(_section(entry))
    return "\n".join(lines)


def _section(entry: Entry) -> str:
    name = entry.name.removesuffix(VERSIONS)
    storage = ""
    if entry.storage:
        stored = f"Stored in `{entry.name}`, " if name != entry.name else "Stored "
        storage = f"\n{stored}{', '.join(entry.storage)}.\n"
    rows = "".join(
        f"| `{column}` | `{type_}` | {meaning.replace('|', chr(92) + '|')} |\n"
        for column, type_, meaning in entry.columns
        if column != "is_deleted"
    )
    return f"### {name}\n\n{entry.meaning}\n{storage}\n| column | type | meaning |\n|---|---|---|\n{rows}"
