"""Writes the page about tables and views: ``python -m lpa_ops.console.tables_page docs/tables.md``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from lpa_sinks.schema.ddl import DEFAULT_DATABASE, SCHEMA_FILES, sql_file

_CREATE: Final = re.compile(
    rf"((?:^--.*\n)*)^CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS {DEFAULT_DATABASE}\.(\w+)", re.MULTILINE
)
_VERSIONS: Final = "_versions"
_OLDER_NAME: Final = "raw_"
_HEAD: Final = """# Tables and views

What there is in the database, in the schema's own words. `lpa schema show` prints the DDL, where each column is
explained; `python -m lpa_ops.console.tables_page docs/tables.md` writes this page.

Where a table has versions (`_versions` behind its name), read the view without them: it has one row per key. Tables of
events are there under their later names, too: `raw_` before the name.
"""


class _Made(NamedTuple):
    name: str
    kind: str
    about: str


def page() -> str:
    """One row for what is read, in the order in which it is made; views under the older names are left out."""
    parts = [_HEAD]
    for file in SCHEMA_FILES:
        made = [*_made(file)]
        rows = [f"| `{each.name}` | {each.kind} | {each.about} |" for each in _read(made)]
        parts.append("\n".join([f"## {file}", "", "| name | kind | holds |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts)


def _made(file: str) -> Iterator[_Made]:
    for comment, kind, name in _CREATE.findall(sql_file(file)):
        about = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
        yield _Made(name, kind.lower(), about.replace("|", r"\|"))


def _read(made: list[_Made]) -> Iterator[_Made]:
    names = {each.name for each in made}
    for each in made:
        name = each.name.removesuffix(_VERSIONS)
        if each.name != name and name in names:
            yield each._replace(name=name, kind="table, with versions")
        elif f"{each.name}{_VERSIONS}" not in names and each.name.removeprefix(_OLDER_NAME) not in names - {each.name}:
            yield each


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
