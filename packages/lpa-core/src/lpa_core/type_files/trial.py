"""Judges samples by event types, and says what of a sample a column's path cannot reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

import attrs

from lpa_core.events.event_type import EventType
from lpa_core.events.paths import PathStep, begins_in_item, of_envelope, steps, steps_from_data
from lpa_core.events.row import own_columns
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.tables.table import Table
from lpa_core.validation.json_document import decoded
from lpa_core.validation.reasons import Failure


@final
@attrs.frozen
class Trial:
    """What became of samples.

    Attributes:
        rows: table's name -> its rows; each begins with the number of its sample and the event's time, epoch ms.
        rejected: number of a sample -> all that is wrong with it.
        ignored: number of a sample -> the reason.
        unfit: values that their columns could not hold.
        hints: what is likely meant otherwise, a line each.
    """

    count: int
    tables: tuple[Table, ...]
    rows: Mapping[str, Sequence[tuple[Any, ...]]]
    rejected: Mapping[int, Sequence[Failure]]
    ignored: Mapping[int, str]
    unfit: int
    hints: tuple[str, ...]


def tried(pipeline: Pipeline, samples: Sequence[bytes]) -> Trial:
    """Judge the samples, which are counted from 1."""
    rows: dict[str, list[tuple[Any, ...]]] = {table.name: [] for table in pipeline.tables}
    rejected: dict[int, Sequence[Failure]] = {}
    ignored: dict[int, str] = {}
    hints: dict[str, None] = {}
    unfit = 0
    for number, sample in enumerate(samples, 1):
        verdict = pipeline.validate(sample)
        if isinstance(verdict, Rejected):
            rejected[number] = pipeline.failures(sample)
        elif isinstance(verdict, Accepted):
            unfit += verdict.unfit
            for table, row in verdict.rows:
                rows[table.name].append((number, verdict.envelope.timestamp, *row))
            event_type = pipeline.event_types[verdict.envelope.type]
            hints.update(dict.fromkeys(_hints(event_type, pipeline.data_of(decoded(sample)))))
        else:
            ignored[number] = verdict.reason
    return Trial(len(samples), pipeline.tables, rows, rejected, ignored, unfit, tuple(hints))


def _hints(event_type: EventType, data: Any) -> Iterator[str]:
    for item in data if event_type.requires_items and isinstance(data, list) else [data]:
        for table in event_type.tables:
            for column in own_columns(table):
                for path in (column.at, column.otherwise):
                    if path is None or of_envelope(path) is not None:
                        continue
                    met = _met(item, steps_from_data(path, table.each))
                    if met:
                        yield f"table {table.name}: column {column.name}: {_advice(path, table.each, met)}"


def _met(value: Any, path: Sequence[PathStep]) -> str:
    """The name of an array that the path goes through as if it were an object; empty if it meets none."""
    for number, step in enumerate(path):
        value = value.get(step.name) if isinstance(value, dict) else None
        if step.of_array:
            items = value if isinstance(value, list) else []
            return next((met for item in items if (met := _met(item, path[number + 1 :]))), "")
        if isinstance(value, list):
            return step.name
    return ""


def _advice(path: str, each: str, met: str) -> str:
    item = "the item" if begins_in_item(path, each) else "the data"
    *_, last = steps(path)
    if last.name == met:
        return f"{path!r} is an array in {item}: give a table each = {path!r} for a row of each object in it"
    return (
        f"{path!r} meets the array {met} in {item}: write {met}[].{last.name} for the texts of all, "
        f"{met}[key=value].{last.name} for one, or give a table each = {met!r} for a row of each"
    )
