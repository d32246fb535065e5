"""Queries of a person: they read, change nothing, and return a bounded number of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, final

import attrs
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, NotSupportedError

from lpa_core.errors import UsageError
from lpa_sinks.clickhouse.errors import ErrorKind, classify, describe, explain

_TOKEN: Final = re.compile(
    r"""
    (?P<left_out> --[^\n]* | \#[!\ ][^\n]* | /\*.*?\*/ )
    | (?P<quoted> '(?:[^'\\]|\\.|'')*+' | \u2018[^\u2019]*+\u2019 )
    | (?P<heredoc> \$[A-Za-z0-9_]*\$ )
    | (?P<name> "(?:[^"\\]|\\.|"")*+" | `(?:[^`\\]|\\.|``)*+` | \u201c[^\u201d]*+\u201d )
    | (?P<open> ['"`\u2018\u201c] | /\* )
    | (?P<word> [A-Za-z_][A-Za-z0-9_$]* )
    | (?P<number> [0-9][A-Za-z0-9_]* )
    | (?P<other> [^\s\u180e\u200b-\u200d\u2060\ufeff] )
    """,
    re.VERBOSE | re.DOTALL,
)
_SELECTS: Final = ("SELECT", "WITH", "FROM")
_TELLS: Final = ("SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS")
_ORDERS: Final = ("ASC", "DESC")
_ASKING_MODELS: Final = ("CLASSIFY", "EMBED", "EXTRACT", "FILTER", "GENERATE", "REDACT", "SIMILARITY", "TRANSLATE")
_REACHING_OUT: Final = frozenset(
    ("FILE", "CATBOOSTEVALUATE", "HASCOLUMNINTABLE", "GENERATESERIALID", *(f"AI{each}" for each in _ASKING_MODELS))
)
"""Functions of a value, not of a table, that read files or ask servers: ``readonly`` does not refuse them."""


@final
@attrs.frozen
class QueryResult:
    """Names of columns, rows, and whether there were more rows than were wanted."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    more: bool


def require_reading(sql: str) -> str:
    """The statement without a semicolon at its end.

    Raises UsageError unless it is one statement that reads, without FORMAT and INTO OUTFILE. ClickHouse itself lets
    such a query change no table, but the embedded engine write files by INTO OUTFILE and INSERT INTO FUNCTION.
    """
    words = [found["word"].upper() if found["word"] else found[0] for found in _tokens(sql)]
    while words and words[-1] == ";":
        words.pop()
    if not words:
        raise UsageError("the query is empty: give one statement, such as SELECT 1")
    if ";" in words:
        raise UsageError("there are several statements: give one")
    first = next((word for word in words if word != "("), "")
    if first not in (*_SELECTS, *_TELLS):
        raise UsageError(f"{first[:30]} is not a query that only reads: begin with {', '.join((*_SELECTS, *_TELLS))}")
    if ("INSERT", "INTO") in pairwise(words):
        raise UsageError("INSERT INTO changes something: leave it out")
    if "OUTFILE" in words:
        raise UsageError("INTO OUTFILE writes a file: leave it out, and redirect what is printed")
    if len(words) > 1 and words[-2] == "FORMAT":
        raise UsageError("FORMAT is not for here: leave it out, and give --json or --csv")
    return sql.rstrip().rstrip(";").rstrip() if sql.rstrip().endswith(";") else sql


def require_limits(sql: str) -> None:
    """Raise UsageError if the statement lifts limits by SETTINGS, or has a function that reads files or asks servers.

    ClickHouse refuses SETTINGS at the end of a statement, and takes them within it.
    """
    tokens = [(found, found[0].upper()) for found in _tokens(sql)]
    words = [word for _, word in tokens]
    after = zip(words, words[1:], words[2:], strict=False)
    if any(a == "SETTINGS" and b not in _ORDERS and c in ("=", ",") for a, b, c in after):
        raise UsageError("SETTINGS would lift the limits: leave it out")
    for at, (found, word) in enumerate(tokens):
        if word in ("DESCRIBE", "DESC") and (at == 0 or words[at - 1] == "("):
            told = words[at + 2 : at + 4] if words[at + 1 : at + 2] == ["TABLE"] else words[at + 1 : at + 3]
            if told[1:] == ["("] and told[0] != "(":
                raise UsageError(f"{word} of a function may read files or ask other servers: describe a table")
        # It may be called without parentheses. A name between quotes may have escapes that only ClickHouse reads.
        if word.strip('"`\u201c\u201d') in _REACHING_OUT or (found["name"] is not None and "\\" in word):
            raise UsageError(f"{found[0][:30]} may read files or ask other servers: leave it out")


def ask(
    client: Client, database: str, sql: str, most: int, seconds: int, limits: Mapping[str, int] | None = None
) -> QueryResult:
    """The rows of a query, at most so many; names without a database are of this one.

    Args:
        limits: further settings. With ``readonly`` 1 the statement can neither change them nor use table functions that
            read files or other servers.

    Raises UsageError as :func:`require_reading`, and the client's errors.
    """
    query = require_reading(sql)
    client.database = database
    settings: dict[str, Any] = {"readonly": 2, "max_execution_time": seconds, **(limits or {})}
    if _first_word(query) in _SELECTS:
        settings["limit"] = most + 1
    result = client.query(query, settings=settings)
    rows = result.result_rows
    return QueryResult(tuple(result.column_names), rows[:most], len(rows) > most)


def worded(action: Callable[[], QueryResult]) -> Callable[[], QueryResult]:
    """The action; an error of the statement becomes one of usage."""

    def run() -> QueryResult:
        try:
            return action()
        except (NotSupportedError, RecursionError):
            raise UsageError(
                "the result has a type that cannot be shown: convert it, such as by toString or finalizeAggregation"
            ) from None
        except ClickHouseError as error:
            if classify(error) is not ErrorKind.RETRY and getattr(error, "code", None) is not None:
                raise UsageError(f"the query cannot be run: {describe(error)}: {explain(error)}") from None
            raise

    return run


def _tokens(sql: str) -> list[re.Match[str]]:
    """Takes time in proportion to the length. Raises UsageError if a text, a name or a comment does not end."""
    tokens: list[re.Match[str]] = []
    at = 0
    while found := _TOKEN.search(sql, at):
        at = found.end()
        closing = sql.find(found[0], at) if found["heredoc"] is not None else at
        if found["open"] is not None or closing < 0:
            raise UsageError(f"{found[0][:30]} begins what does not end: end it, or leave it out")
        if found["heredoc"] is not None:
            at = closing + len(found[0])
        if found["left_out"] is None:
            tokens.append(found)
    return tokens


def _first_word(sql: str) -> str:
    return next((found["word"].upper() for found in _tokens(sql) if found["word"]), "")
