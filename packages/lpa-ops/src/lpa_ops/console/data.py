"""Pages of what is stored: tables with rows and sizes, and the data dictionary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from lpa_core.sinks.sink import SinkMisconfigured
from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest, missing
from lpa_sinks.schema.ddl import SCHEMA_FILES, VERSIONS
from lpa_sinks.schema.dictionary import entries

_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def _read(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    rows = sources.database.rows("stored_tables.sql")
    sizes, unknown = _sizes(sources)
    for row in rows:
        row |= {"rows": None, "bytes": None} if unknown else sizes.get(row["name"], {"rows": 0, "bytes": 0})
    # Names that the engine gives back. Those that need quotes are none of ours.
    stored = [row for row in rows if not row["is_view"] and (unknown or row["rows"])]
    dated = [row["name"] for row in stored if row["has_times"] and _NAME.fullmatch(row["name"])]
    ages = sources.database.rows_of_each("table_ages.sql", [{"table": name} for name in dated])
    times = {row["name"]: (row["oldest_at"], row["latest_at"]) for row in ages}
    tables = [{**row, "meaning": _meanings().get(row["name"].removesuffix(VERSIONS), "")} for row in rows]
    for each in tables:
        each["oldest_at"], each["latest_at"] = times.get(each["name"], (None, None))
    return {
        "database": sources.database.name,
        "tables": [each for each in tables if not each["is_view"]],
        "views": [{"name": each["name"], "meaning": each["meaning"]} for each in tables if each["is_view"]],
        "rows": None if unknown else sum(each["rows"] for each in tables),
        "bytes": None if unknown else sum(each["bytes"] for each in tables),
        "sizes_unknown": unknown,
    }


def _sizes(sources: ConsoleSources) -> tuple[dict[str, dict[str, int]], str]:
    """Table -> ``rows`` and ``bytes``, of those that have any; why they are not known, or an empty text."""
    try:
        found = sources.database.rows("table_sizes.sql")
    except SinkMisconfigured as refused:
        return {}, str(refused)
    return {row["name"]: {"rows": row["rows"], "bytes": row["bytes"]} for row in found}, ""


def _read_table(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    name = request.text("name")
    columns = sources.database.rows("columns.sql", table=name)
    if not columns:
        raise missing(f"there is no table or view {name[:100]!r}: the list of tables has the names")
    return {"name": name, "meaning": _meanings().get(name.removesuffix(VERSIONS), ""), "columns": columns}


@cache
def _meanings() -> Mapping[str, str]:
    return {entry.name.removesuffix(VERSIONS): entry.meaning for file in SCHEMA_FILES for entry in entries(file)}


PAGES: Final = (
    ConsolePage("data", "Data", "data.html", _read),
    ConsolePage("data/table", "Table", "table.html", _read_table, within="data"),
)
