"""The SQL of recoveries, from its files."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from lpa_ops.positions.statements import filled_in


def sql(name: str, database: str) -> str:
    """The text of a file, filled in."""
    return filled_in(files("lpa_ops.recover").joinpath("sql", name).read_text(encoding="utf-8"), database)


def sql_of(name: str, table: str) -> str:
    """The text of a file, for a table; its name qualified and quoted."""
    return Template(files("lpa_ops.recover").joinpath("sql", name).read_text(encoding="utf-8")).substitute(table=table)
