"""How a statement and its parameters travel over HTTP: as a form in the body, so that the URL does not grow with them.

ClickHouse reads ``query`` and ``param_...`` from the fields of a form (multipart/form-data), and nothing else: settings
stay in the URL. clickhouse-connect makes forms of queries, from a certain length on, and never of commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

T = TypeVar("T")

_PARAMETER: Final = "param_"
_FIELD_BYTES: Final = 131_072
"""The longest field of a form: ``http_max_field_value_size`` of ClickHouse, as it is by default."""
_BYTES_BESIDE: Final = 3
"""The quotes and the comma of a text in an array."""


def as_form(url: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The URL and the options of a request (as urllib3 takes them) with the statement's parameters in the body.

    A statement that carries rows with it is longer than a field may be: its few parameters stay in the URL.
    """
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    bound = {name: value for name, value in pairs if name.startswith(_PARAMETER)}
    statement = options.get("body")
    if not bound or not isinstance(statement, bytes) or len(statement) > _FIELD_BYTES:
        return url, options
    if any(len(value.encode()) > _FIELD_BYTES for value in bound.values()):
        return url, options
    left = urlencode([(name, value) for name, value in pairs if name not in bound])
    # Of the form, not of the statement: urllib3 says it itself.
    headers = {name: value for name, value in options["headers"].items() if name.lower() != "content-type"}
    fields = {"query": statement.decode(), **bound}
    others = {name: value for name, value in options.items() if name != "body"}
    return urlunsplit(parts._replace(query=left)), {**others, "headers": headers, "fields": fields}


def portions(values: Sequence[T], text: Callable[[T], str]) -> Iterator[Sequence[T]]:
    """The values in their order, so many at once that an array of their texts can be a parameter.

    Every character may need an escape, so half a field is taken. A text longer than that is alone.
    """
    start = size = 0
    for number, value in enumerate(values):
        more = len(text(value).encode(errors="surrogatepass")) + _BYTES_BESIDE
        if number > start and size + more > _FIELD_BYTES // 2:
            yield values[start:number]
            start, size = number, 0
        size += more
    if values:
        yield values[start:]
