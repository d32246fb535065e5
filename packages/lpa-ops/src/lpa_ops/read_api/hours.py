"""The hourly views, a page at a time: newest hour first, then by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from lpa_ops.read_api.cursor import Cursor
from lpa_ops.read_api.fields import Field, as_objects, epoch_ms, row_schema
from lpa_ops.read_api.listing import or_any
from lpa_ops.read_api.parameters import HOUR_MS, ORG, cursor, limit, moment
from lpa_ops.read_api.problem import bad_request
from lpa_ops.read_api.route import Database, Page, Reading, ReadRoute
from lpa_sinks.schema.dictionary import Entry, entries

_LIMIT: Final = 50
_MOST: Final = 1000
_HOURS: Final = 24
_MOST_HOURS: Final = 31 * 24
_MORE_HOURS: Final = 16
"""How many times as many are read next: a page takes three reads at most, but for the longest windows."""
_START: Final = moment("start", "Hours that start then or later; 24 hours before the end unless it is given.")
_END: Final = moment("end", "Hours that start before then; now unless it is given.")


Rows = tuple[Sequence[str], Sequence[Sequence[Any]]]
"""The names of the columns, none if there are no rows, and the rows."""
Newest = Callable[[Database, str, Mapping[str, Any], int], Rows]
"""Reads the rows of a page as :func:`newest_first` does."""


def newest_first(database: Database, sql: str, bound: Mapping[str, Any], first_hours: int) -> Rows:
    """One row more than are wanted, if there are: of the newest hours, and of older ones only if these have too few."""
    start, end, wanted = bound["start"], bound["end"], bound["rows"] - 1
    hours = -(-wanted // _LIMIT) * first_hours
    names: Sequence[str] = ()
    rows: list[Sequence[Any]] = []
    while True:
        begin = max(start, end // HOUR_MS * HOUR_MS - hours * HOUR_MS)
        named, found = database.rows(sql, {**bound, "start": begin, "end": end, "rows": wanted + 1 - len(rows)})
        names = named or names  # without rows there may be none
        rows += found
        if len(rows) > wanted or begin <= start:
            return names, rows
        end, hours = begin, hours * _MORE_HOURS


def hours(
    path: str, summary: str, view: str, keys: Sequence[str], first_hours: int, newest: Newest = newest_first
) -> ReadRoute:
    """A route of a view with ``window_start``, whose rows these keys tell apart within an hour.

    ``first_hours`` are read at first for each fifty rows of a page: they should be enough for it.
    """
    entry = _views()[view]
    fields = [Field(*column) for column in entry.columns]

    def read(database: Database, values: Mapping[str, Any], now_ms: int) -> Reading:
        wanted: int = values["limit"]
        names, rows = newest(database, f"{view}.sql", _bound(keys, values, now_ms), first_hours)
        found = as_objects(names, rows[:wanted])
        more = len(rows) > wanted
        return Reading(found, Page(_cursor_after(names, rows[wanted - 1], keys) if more else None, wanted))

    return ReadRoute(
        path,
        summary,
        f"Rows of `{view}`. {entry.meaning}",
        (_START, _END, ORG, limit(_LIMIT, _MOST), cursor(keys)),
        {"type": "array", "items": row_schema(fields)},
        read,
        paged=True,
        columns=tuple(field.name for field in fields),
    )


def _bound(keys: Sequence[str], values: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """The window, and the row after which the page begins; without one, what every row comes after."""
    end = values["end"] if values["end"] is not None else now_ms + 1
    start = values["start"] if values["start"] is not None else end // HOUR_MS * HOUR_MS - _HOURS * HOUR_MS
    if end - start > _MOST_HOURS * HOUR_MS:
        raise bad_request(f"from start to end there may be {_MOST_HOURS // 24} days at most: ask for less at once")
    last: Cursor | None = values["cursor"]
    if last is not None:
        end = min(end, last.hour_ms + 1)
    after = {f"after_{number}": key for number, key in enumerate(last.keys if last else [""] * len(keys))}
    return {
        "start": start,
        "end": end,
        "after_hour": last.hour_ms if last else end,
        **after,
        "rows": values["limit"] + 1,
        **or_any("org", values["org"]),
    }


def _cursor_after(names: Sequence[str], row: Sequence[Any], keys: Sequence[str]) -> str:
    values = dict(zip(names, row, strict=True))
    return str(Cursor(epoch_ms(values["window_start"]), tuple(values[key] or "" for key in keys)))


@cache
def _views() -> Mapping[str, Entry]:
    return {entry.name: entry for entry in entries("04-views.sql")}


GPU_KEYS: Final = ("org", "orchestrator_address", "pipeline", "model_id", "gpu_id", "region")

ROUTES: Final = (
    hours("streaming/sla", "Hourly service levels of orchestrators", "v_api_sla_compliance", GPU_KEYS, 3),
    hours(
        "streaming/demand",
        "Hourly demand at gateways",
        "v_api_network_demand",
        ("org", "gateway", "region", "pipeline", "model_id"),
        24,
    ),
)
