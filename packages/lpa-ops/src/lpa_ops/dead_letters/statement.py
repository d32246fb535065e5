"""The rule as SQL text."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template


@cache
def dead_letters(since: str) -> str:
    """A query of the records that were dead-lettered from then on, with ``origin`` and ``state`` beside the columns.

    ``since`` is an SQL expression of a time. The text names the database ``livepeer_analytics``.
    """
    text = (files(__package__) / "sql" / "dead_letters.sql").read_text(encoding="utf-8")
    return Template(text).substitute(since=since).rstrip()
