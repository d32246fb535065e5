"""Routes whose answer is the rows of one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lpa_ops.read_api.fields import Field, as_objects, row_schema
from lpa_ops.read_api.parameters import Parameter
from lpa_ops.read_api.route import Database, Reading, ReadRoute

Bound = Callable[[Mapping[str, Any], int], Mapping[str, Any]]
"""What is bound in the statement: from the values of the parameters and the time of the request, epoch ms."""


def listing(
    path: str,
    summary: str,
    description: str,
    sql: str,
    fields: Sequence[Field],
    parameters: Sequence[Parameter],
    bound: Bound,
) -> ReadRoute:
    """A route that answers with the rows of ``sql``, whose columns are ``fields``."""

    def read(database: Database, values: Mapping[str, Any], now_ms: int) -> Reading:
        names, rows = database.rows(sql, bound(values, now_ms))
        return Reading(as_objects(names, rows))

    return ReadRoute(
        path,
        summary,
        description,
        tuple(parameters),
        {"type": "array", "items": row_schema(fields)},
        read,
        columns=tuple(field.name for field in fields),
    )


def or_any(name: str, value: str | None) -> dict[str, Any]:
    """A label that a request may leave out, as a statement takes it: ``name`` and ``name_wanted``."""
    return {name: value or "", f"{name}_wanted": value is not None}
