"""Declarations of event types as the text of a TOML file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from lpa_core.events.envelope_mapping import EnvelopeMapping, TimeFormat
from lpa_core.events.event_type import EventType
from lpa_core.events.row import own_columns
from lpa_core.tables.table import Column, Table
from lpa_core.type_files.declarations import READS
from lpa_core.validation.ignore_rules import IgnoreRule

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def written(event_types: Iterable[EventType], ignore_rules: Iterable[IgnoreRule] = ()) -> str:
    """The text of a file that declares the same.

    Raises ValueError for an event type that needs Python: one with a shape, a validator, or a type of its own that a
    column reads.
    """
    parts = [*map(_event_type, event_types), *map(_ignore_rule, ignore_rules)]
    return "\n".join("\n".join(part) + "\n" for part in parts)


def _event_type(event_type: EventType) -> Iterator[str]:
    if event_type.shape is not None or event_type.validators:
        raise ValueError(f"event type {event_type.name!r} has a shape or validators, which are Python")
    where = f"types.{_key(event_type.name)}"
    yield f"[{where}]"
    default = not event_type.requires_items
    yield from _lines(
        required=event_type.required,
        key_at=event_type.key_at,
        requires_items=event_type.requires_items,
        requires_container=event_type.requires_container,
    )
    if event_type.requires_object is not default:
        yield f"requires_object = {_value(event_type.requires_object)}"
    if event_type.envelope is not None:
        yield from ("", f"[{where}.envelope]", *_envelope(event_type.envelope))
    for table in event_type.tables:
        yield from _table(f"{where}.tables.{_key(table.name)}", table)


def _envelope(mapping: EnvelopeMapping) -> Iterator[str]:
    yield from _lines(has=mapping.has, when=_lists(mapping.when), id=mapping.id, timestamp=mapping.timestamp)
    if mapping.time is not TimeFormat.MILLISECONDS:
        yield f"time = {_value(mapping.time.value)}"
    yield from _lines(gateway=mapping.gateway, data=mapping.data)


def _table(where: str, table: Table) -> Iterator[str]:
    yield from ("", f"[{where}]")
    yield from _lines(order_by=table.order_by, keep_days=table.keep_days, each=table.each, one_of=_lists(table.one_of))
    yield from ("", f"[{where}.columns]")
    for column in own_columns(table):
        yield f"{_key(column.name)} = {_column(column)}"


def _column(column: Column) -> str:
    named = next((name for name, reads in READS.items() if reads is column.reads), "")
    if column.at is None or (column.reads is not None and not named):
        raise ValueError(f"column {column.name} says no path, or reads a type of Python's")
    given: dict[str, Any] = {
        "kind": column.kind.value,
        "nullable": column.nullable,
        "at": "" if column.at == column.name else column.at,
        "otherwise": column.otherwise or "",
        "reads": named,
        "by_key": column.by_key,
        "note": column.note,
        "on_mismatch": "" if column.on_mismatch == "coerce" else column.on_mismatch,
    }
    said = {key: value for key, value in given.items() if value}
    return _value(column.kind.value) if len(said) == 1 else _value(said)


def _ignore_rule(rule: IgnoreRule) -> Iterator[str]:
    yield f"[ignore.{_key(rule.reason)}]"
    yield from _lines(
        event_types=sorted(rule.event_types),
        subtypes=sorted(rule.subtypes),
        subtype_prefix=rule.subtype_prefix,
        where=rule.where,
        other_subtypes=sorted(rule.other_subtypes),
        incomplete=rule.incomplete,
    )


def _lists(texts: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {path: sorted(some) for path, some in texts.items()}


def _lines(**given: Any) -> Iterator[str]:
    """A line for each that is not empty."""
    return (f"{key} = {_value(value)}" for key, value in given.items() if value)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)
