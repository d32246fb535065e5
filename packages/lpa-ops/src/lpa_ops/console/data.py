"""Pages of what is stored: tables with rows and sizes, and the data dictionary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest, missing
from lpa_sinks.schema.ddl import SCHEMA_FILES, VERSIONS
from lpa_sinks.schema.dictionary import entries

_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def _read(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    rows = sources.database.rows("stored_tables.sql")
    # Names that the engine gives back. Those that need quotes are none of ours.
    dated = [row["name"] for row in rows if row["has_times"] and row["rows"] and _NAME.fullmatch(row["name"])]
    ages = sources.database.rows_of_each("table_ages.sql", [{"table": name} for name in dated])
    times = {row["name"]: (row["oldest_at"], row["latest_at"]) for row in ages}
    tables = [{**row, "meaning": _meanings().get(row["name"].removesuffix(VERSIONS), "")} for row in rows]
    for each in tables:
        each["oldest_at"], each["latest_at"] = times.get(each["name"], (None, None))
    return {
        "database": sources.database.name,
        "tables": [each for each in tables if not each["is_view"]],
        "views": [{"name": each["name"], "meaning": each["meaning"]} for each in tables if each["is_view"]],
        "rows": sum(each["rows"] for each in tables),
        "bytes": sum(each["bytes"] for each in tables),
    }


def _read_table(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    name = request.text("name")
    columns = sources.database.rows("columns.sql", table=name)
    if not columns:
        raise missing(f"there is no table or view {name[:100]!r}: /data lists them")
    return {"name": name, "meaning": _meanings().get(name.removesuffix(VERSIONS), ""), "columns": columns}


@cache
def _meanings() -> Mapping[str, str]:
    return {entry.name.removesuffix(VERSIONS): entry.meaning for file in SCHEMA_FILES for entry in entries(file)}


PAGES: Final = (
    ConsolePage("data", "Data", "data.html", _read),
    ConsolePage("data/table", "Table", "table.html", _read_table, within="data"),
)
