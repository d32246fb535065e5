"""What a route is: a path, what may be asked, what is answered, and the reading that makes the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, final

import attrs

from lpa_ops.read_api.parameters import Parameter


@final
@attrs.frozen
class Page:
    """A page of a route that has pages. ``next_cursor`` is null on the last one."""

    next_cursor: str | None
    size: int


@final
@attrs.frozen
class Reading:
    """What was read.

    Attributes:
        content: as JSON has it; without pages it is the whole answer.
        page: of a route that has pages, whose content is a list of rows.
    """

    content: Any
    page: Page | None = None


class Database(Protocol):
    """What a route reads from."""

    def rows(self, sql: str, parameters: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        """The names of the columns and the rows of a SQL file below ``read_api/sql``, with bound parameters.

        Raises ReadRefused if it takes too long, SinkUnavailable, SinkMisconfigured.
        """
        ...


@final
@attrs.frozen
class ReadRoute:
    """A route below ``/v1``.

    Attributes:
        schema: JSON Schema of the content.
        read: the content; from the database, the values of the parameters, and the time of the request, epoch ms.
        paged: the content is within ``data``, beside ``pagination`` and ``meta``.
        columns: the names of the fields if the content is a list of rows: what CSV needs; else empty.
    """

    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    schema: Mapping[str, Any]
    read: Callable[[Database, Mapping[str, Any], int], Reading]
    paged: bool = False
    columns: tuple[str, ...] = ()
