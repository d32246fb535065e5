"""Checks an event type by examples of its events: everything that is wrong with it, at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from lpa_core.argument_checks import shown_type
from lpa_core.events.event_type import EventType
from lpa_core.events.model import MAX_EPOCH_MS, MIN_EPOCH_MS
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.events.row import own_columns
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.tables.table import INTEGER_BOUNDS, Column, Kind, Table
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure

_WHOLE: Final = {**INTEGER_BOUNDS, Kind.TIMESTAMP: (MIN_EPOCH_MS, MAX_EPOCH_MS)}
_MOST_FLOAT: Final = {Kind.FLOAT32: 3.4028234663852886e38, Kind.FLOAT64: 1.7976931348623157e308}


def check_event_type(event_type: EventType, examples: Iterable[bytes | str | Mapping[str, Any]]) -> None:
    """Judge whole events, as producers send them, and look at the rows that they become.

    Each example has to be accepted without losing a value. Together they have to fill every column and every table. An
    event that lacks a required path has to be rejected. Rows have to be what their columns hold, and the same on both
    paths through the pipeline.

    Raises AssertionError, with a line for each problem; ValueError if ``examples`` is one event instead of several.
    """
    if isinstance(examples, bytes | str | Mapping):
        raise ValueError(f"examples is {shown_type(examples)}: it must be a list of events")
    problems = [*_problems(event_type, [_record(each) for each in examples])]
    if problems:
        raise AssertionError("\n".join([f"event type {event_type.name!r}:", *problems]))


def _record(example: bytes | str | Mapping[str, Any]) -> bytes:
    if isinstance(example, Mapping):
        return json.dumps(example).encode()
    return example.encode() if isinstance(example, str) else example


def _problems(event_type: EventType, records: list[bytes]) -> Iterator[str]:
    own = [event_type] if event_type in BUILTIN_EVENT_TYPES else [*BUILTIN_EVENT_TYPES, event_type]
    fast, thorough = Pipeline(own), Pipeline(own, plugin_validators=[_passes])
    rows: list[tuple[Table, tuple[Any, ...]]] = []
    accepted = False
    if not records:
        yield "there is no example"
    for number, record in enumerate(records, 1):
        verdict = fast.validate(record)
        if not isinstance(verdict, Accepted):
            yield from (f"example {number}: {each.reason}: {each.details}" for each in fast.failures(record))
            continue
        if verdict.envelope.type != event_type.name:
            yield f"example {number} is an event of type {verdict.envelope.type!r}"
            continue
        again = thorough.validate(record)
        if not isinstance(again, Accepted) or repr(again.rows) != repr(verdict.rows):
            yield f"example {number} makes other rows if it is coerced: shape depends on what decoding leaves open"
            continue
        if again.unfit:
            yield f"example {number}: {again.unfit} of its values do not fit their columns"
        for kind in verdict.discarded:
            yield f"example {number}: a time in its data is not believed: it looks like {kind}"
        rows += verdict.rows
        accepted = True
        yield from _missed(fast, event_type, number, record)
    if accepted:
        yield from dict.fromkeys(_of_rows(event_type, rows))


def _missed(pipeline: Pipeline, event_type: EventType, number: int, record: bytes) -> Iterator[str]:
    """Required paths without which the event is accepted all the same."""
    for path in event_type.required:
        root = msgspec.json.decode(record)
        *before, last = path.split(".")
        place = root
        for step in before:
            place = place[step]
        del place[last]
        if isinstance(pipeline.validate(msgspec.json.encode(root)), Accepted):
            yield f"example {number} is accepted without {path}, which is required"


def _of_rows(event_type: EventType, rows: list[tuple[Table, tuple[Any, ...]]]) -> Iterator[str]:
    for table in event_type.tables:
        of_table = [row for found, row in rows if found is table]
        if not of_table:
            yield f"table {table.name}: no example makes a row of it"
            continue
        for column, values in zip(own_columns(table), zip(*of_table, strict=True), strict=True):
            for value in values:
                if not _holds(column, value):
                    yield f"table {table.name}: column {column.name} of kind {column.kind.name} cannot hold {value!r}"
            if not any(values) and column.kind is not Kind.UINT8:
                where = f": is there anything at {column.at!r} in the data?" if column.at else ""
                yield f"table {table.name}: column {column.name} is empty in all examples{where}"


def _holds(column: Column, value: Any) -> bool:
    if value is None:
        return column.nullable
    if column.kind in (Kind.TEXT, Kind.LABEL):
        return isinstance(value, str | bytes)
    if column.kind in _MOST_FLOAT:
        most = _MOST_FLOAT[column.kind]
        return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most
    least, most_whole = _WHOLE[column.kind]
    return type(value) is int and least <= value <= most_whole


def _passes(document: Document) -> Failure | None:
    return None
