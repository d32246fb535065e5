"""SQL text taken apart where it may be, which is neither in a string, nor in a comment, nor between parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_TOKEN: Final = re.compile(
    r"(?P<comment>--[^\n]*|\#[ !][^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<quoted>'(?:\\.|[^'\\])*(?:'|\Z)|\"(?:\\.|[^\"\\])*(?:\"|\Z)|`(?:\\.|[^`\\])*(?:`|\Z))"
    r"|(?P<mark>[;,()\[\]{}])"
    r"|[^-#/'\"`;,()\[\]{}$\u2018\u2019\u201c\u201d]+"  # what begins none of the others, in one piece
    r"|.",
    re.DOTALL,
)

_STRANGE: Final = frozenset("$\u2018\u2019\u201c\u201d")


def statements(sql: str) -> list[str]:
    """Those that semicolons end, without comments."""
    return list(_parts(sql, ";"))


def clauses(sql: str) -> list[str]:
    """Those that commas separate, without comments."""
    return list(_parts(sql, ","))


def strange_quotes(sql: str) -> bool:
    """Whether there are quotes that ClickHouse knows beside the plain ones: ``$tag$`` and typographic ones.

    They are not understood here. In strings and comments they are characters like any other.
    """
    return any(token[0] in _STRANGE for token in _TOKEN.finditer(sql))


def _parts(sql: str, separator: str) -> Iterator[str]:
    part: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(sql):
        if token["comment"]:
            part.append(" ")
            continue
        mark = token["mark"]
        if mark in ("(", "[", "{"):
            depth += 1
        elif mark in (")", "]", "}"):
            depth -= 1
        if mark == separator and (depth <= 0 or separator == ";"):
            yield from _said(part)
            part = []
        else:
            part.append(token[0])
    yield from _said(part)


def _said(part: list[str]) -> Iterator[str]:
    text = "".join(part).strip()
    if text:
        yield text
