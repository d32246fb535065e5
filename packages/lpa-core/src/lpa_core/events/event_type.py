"""What an event type declares: its model, its required paths, its tables, and how rows are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, final

import attrs

from lpa_core.events.envelope import Envelope
from lpa_core.tables import Column, Kind, Table

Row = tuple[Any, ...]
"""The values of one row of a typed table, without the leading columns."""

LEADING_COLUMNS = (
    Column("event_timestamp", Kind.TIMESTAMP),
    Column("raw_event_uid", Kind.TEXT),
    Column("org", Kind.LABEL),
    Column("source_topic", Kind.LABEL),
    Column("source_partition", Kind.UINT32),
    Column("source_offset", Kind.UINT64),
    Column("ingestion_timestamp", Kind.TIMESTAMP),
    Column("replay", Kind.UINT8),
)
"""Columns that every typed row begins with: which event it is of, where that came from and when."""


def typed_table(name: str, *columns: Column, order_by: tuple[str, ...]) -> Table:
    """A table for rows of an event type: the leading columns, then the event's own."""
    return Table(name=name, columns=(*LEADING_COLUMNS, *columns), order_by=order_by)


@final
@attrs.frozen(slots=True, eq=False)
class EventType:
    """One ``type`` of event.

    Attributes:
        name: the exact, case-sensitive value of the envelope's ``type``.
        model: what ``data`` is decoded into: an attrs class, or a union of a list of them and one.
        required: paths that must be present, not null and not empty text, such as ``data.stream_id``.
            Each first step below ``data`` is an attribute of the model, annotated ``Text``.
        tables: every table that ``shape`` may name.
        shape: ``shape(envelope, data) -> rows``, each with its table. Pure. Whatever it raises
            dead-letters the event as PARSING_FAILED.
        requires_items: ``data`` must be a non-empty array (reason ``empty_array``).
        requires_container: ``data`` must be an array or an object (reason ``invalid_data_shape``).
    """

    name: str
    model: Any
    required: tuple[str, ...]
    tables: tuple[Table, ...]
    shape: Callable[[Envelope, Any], Iterable[tuple[Table, Row]]]
    requires_items: bool = False
    requires_container: bool = False
