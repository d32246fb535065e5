"""The SQL of backups, from its files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def sql_file(name: str) -> str:
    return files("lpa_ops.backup").joinpath("sql", name).read_text(encoding="utf-8")
