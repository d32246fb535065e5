"""The event types of the live-AI network, and the rules for adding others.

Types: docs/spec/events.md section 3, docs/spec/producers.md section 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from lpa_core.argument_checks import shown_type
from lpa_core.events import (
    ai_stream_events,
    ai_stream_status,
    create_new_payment,
    create_signed_ticket,
    discovery_results,
    network_capabilities,
    stream_heartbeat,
    stream_ingest_metrics,
    stream_stats,
    stream_trace,
)
from lpa_core.events.event_type import EventType
from lpa_core.tables.reserved import RESERVED_TABLES

BUILTIN_EVENT_TYPES: Final[tuple[EventType, ...]] = (
    ai_stream_status.EVENT_TYPE,
    stream_ingest_metrics.EVENT_TYPE,
    stream_trace.EVENT_TYPE,
    network_capabilities.EVENT_TYPE,
    ai_stream_events.EVENT_TYPE,
    discovery_results.EVENT_TYPE,
    create_new_payment.EVENT_TYPE,
    create_signed_ticket.EVENT_TYPE,
    stream_heartbeat.EVENT_TYPE,
    stream_stats.EVENT_TYPE,
)

_BUILTIN_TABLES: Final = frozenset(table for event_type in BUILTIN_EVENT_TYPES for table in event_type.tables)


def registry(event_types: Iterable[EventType]) -> Mapping[str, EventType]:
    """Event types by name.

    Raises ValueError if two have the same name, or the same table, or one that is not built in has a table named like
    one of lpa's own. Names of tables that differ by case only count as the same.
    """
    by_name: dict[str, EventType] = {}
    tables: dict[str, str] = {}
    for event_type in event_types:
        if not isinstance(event_type, EventType):
            raise ValueError(f"{shown_type(event_type)} stands for an event type: it must be an EventType")
        if event_type.name in by_name:
            raise ValueError(f"event type {event_type.name!r} is declared twice: rename one")
        by_name[event_type.name] = event_type
        for table in event_type.tables:
            name = table.name.lower()
            if name in tables:
                by = f"{tables[name]!r} and {event_type.name!r}"
                if tables[name] == event_type.name:
                    by = f"{event_type.name!r} twice"
                raise ValueError(f"table {table.name!r} is declared by {by}: rename one")
            if name in RESERVED_TABLES and table not in _BUILTIN_TABLES:
                raise ValueError(
                    f"table {table.name!r} of {event_type.name!r} has the name of one of lpa's own: rename it"
                )
            tables[name] = event_type.name
    return by_name
