"""The SQL of recoveries, from its files."""

from __future__ import annotations

from importlib.resources import files

from lpa_ops.positions.statements import filled_in


def sql(name: str, database: str) -> str:
    """The text of a file, filled in."""
    return filled_in(files("lpa_ops.recover").joinpath("sql", name).read_text(encoding="utf-8"), database)
