"""Whether a plugin's event types and tables have names that no plugin before it has."""

from __future__ import annotations

from collections.abc import Iterable

from lpa_core.events.event_type import EventType
from lpa_core.plugins.plugin import Plugin


def require_free(event_types: Iterable[EventType], others: Iterable[tuple[Plugin, EventType]]) -> None:
    """Raise ValueError at a name that another plugin's event type or table has. The case of tables does not count.

    Args:
        others: event types with the plugins that bring them.
    """
    types: dict[str, Plugin] = {}
    tables: dict[str, tuple[Plugin, str]] = {}
    for plugin, other in others:
        types[other.name] = plugin
        tables.update((table.name.lower(), (plugin, other.name)) for table in other.tables)
    for event_type in event_types:
        if event_type.name in types:
            raise ValueError(f"event type {event_type.name!r} is {_of(types[event_type.name])} already: rename it")
        for table in event_type.tables:
            if table.name.lower() in tables:
                plugin, name = tables[table.name.lower()]
                raise ValueError(
                    f"table {table.name!r} of {event_type.name!r} is that of {name!r} {_of(plugin)} already: rename it"
                )


def _of(plugin: Plugin) -> str:
    return f"of the plugin {plugin.name} ({plugin.package})"
