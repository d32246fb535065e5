"""Makes an event's rows of what its columns say: a function for each event type, written once and compiled.

It is what a person would write by hand: each object of the data is looked up once, and a row is one tuple.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, final

import attrs
from msgspec import UNSET

from lpa_core.events.model import Stored
from lpa_core.events.model_from_columns import ObjectNode, missing_value, sources
from lpa_core.events.paths import of_envelope, steps
from lpa_core.events.row import MakeRows
from lpa_core.events.times import settling
from lpa_core.tables.table import Column, Kind, Table

_INDENT: Final = "    "


def rows_maker(tables: Sequence[tuple[Table, Sequence[Column]]], tree: ObjectNode, *, each: bool) -> MakeRows:
    """The function that makes rows of a model's object, or with ``each`` of every object in a list.

    ``tables`` gives for each the columns that a row has values for. Raises ValueError at a path that is none.
    """
    writer = _Writer()
    indent = _INDENT * (2 if each else 1)
    rows = [f"({writer.named('table', table)}, {writer.row(columns, tree)})" for table, columns in tables]
    body = [indent + line for line in writer.lines]
    if each:
        body = [
            f"{_INDENT}rows = []",
            f"{_INDENT}for data in items:",
            *body,
            *(f"{indent}rows.append({row})" for row in rows),
            f"{_INDENT}return tuple(rows)",
        ]
    else:
        body.append(f"{_INDENT}return ({', '.join(rows)},)")
    text = "\n".join([f"def make_rows(envelope, {'items' if each else 'data'}, discarded):", *body])
    exec(text, writer.names)
    made: MakeRows = writer.names["make_rows"]
    return made


@final
@attrs.define(slots=True)
class _Writer:
    """Writes the function's text."""

    lines: list[str] = attrs.field(factory=list)
    names: dict[str, Any] = attrs.field(factory=dict)
    """What the text calls by name."""
    _variables: dict[tuple[Any, ...], str] = attrs.field(factory=dict)
    """Steps that were taken -> the variable that holds the object there."""

    def named(self, what: str, value: Any) -> str:
        name = f"{what}_{len(self.names)}"
        self.names[name] = value
        return name

    def row(self, columns: Sequence[Column], tree: ObjectNode) -> str:
        values = [self._value(column, tree) for column in columns]
        return f"({', '.join(values)},)"

    def _value(self, column: Column, tree: ObjectNode) -> str:
        """An expression for a column's value; what it takes to get there is written before."""
        (path, annotation), *others = sources(column)
        found = self._read(path, annotation, tree)
        text = column.kind in (Kind.TEXT, Kind.LABEL)
        for other, other_annotation in others:
            otherwise = self._read(other, other_annotation, tree)
            found = f"({found} or {otherwise})" if text else self._first(found, otherwise)
        if column.by_key:
            found = self._by_key(column, found, tree)
        return f"({found} or None)" if text and column.nullable else found

    def _by_key(self, column: Column, found: str, tree: ObjectNode) -> str:
        variable, unset = f"text_{len(self.lines)}", self.named("unset", UNSET)
        self.lines.append(f"{variable} = {found}")
        otherwise = "".join(
            f"{self.named('said', said)} if data.{tree.attribute(key)} is not {unset} else "
            for key, said in column.by_key.items()
        )
        return f"({variable} if {variable}.strip() else {otherwise}'')"

    def _first(self, found: str, otherwise: str) -> str:
        variable = f"value_{len(self.lines)}"
        self.lines.append(f"{variable} = {found}")
        return f"({otherwise} if {variable} is None else {variable})"

    def _read(self, path: str, annotation: Any, tree: ObjectNode) -> str:
        attribute = of_envelope(path)
        if attribute is not None:
            return f"envelope.{attribute}"
        *before, last = steps(path)
        variable, node = "data", tree
        for depth, step in enumerate(before, 1):
            if step.each:
                below = node.arrays[step.name]
                items = f"{variable}.{node.attribute(step.name)}"
                return f"{self.named('joined', _joined)}({items}, {below.attribute(last.name)!r})"
            below = node.arrays[step.name] if step.key else node.objects[step.name]
            key = tuple(before[:depth])
            if key not in self._variables:
                self._variables[key] = f"object_{len(self._variables)}"
                look_up = self._look_up_item if step.key else self._look_up
                look_up(self._variables[key], f"{variable}.{node.attribute(step.name)}", below, step)
            variable, node = self._variables[key], below
        value = f"{variable}.{node.attribute(last.name)}"
        if last.name in node.noticed - node.filled:
            unset, missing = self.named("unset", UNSET), self.named("missing", missing_value(annotation))
            value = f"({missing} if {value} is {unset} else {value})"
        settle = settling(annotation)
        if settle is not None:
            value, before_it = f"time_{len(self.lines)}", value
            self.lines.append(f"{value} = {before_it}")
            believed = f"{self.named('settle', settle)}({value}, envelope.timestamp, discarded)"
            self.lines.append(f"if {value} is not None: {value} = {believed}")
        for stored in annotation.__metadata__:
            if isinstance(stored, Stored):
                value = f"{self.named('convert', stored.convert)}({value})"
        return value

    def _look_up(self, variable: str, value: str, below: ObjectNode, step: Any) -> None:
        self.lines.append(f"{variable} = {value} or {self.named('nothing', below.model())}")

    def _look_up_item(self, variable: str, value: str, below: ObjectNode, step: Any) -> None:
        self.lines.append(f"{variable} = {self.named('nothing', below.model())}")
        self.lines.append(f"for item in {value} or ():")
        wanted = f"item.{below.attribute(step.key)} == {step.value!r}"
        self.lines.append(f"{_INDENT}if {wanted}: {variable} = item")


def _joined(items: Iterable[Any] | None, attribute: str) -> str:
    """The texts of the items, each once, in their order."""
    return ",".join(dict.fromkeys(filter(None, (getattr(item, attribute) for item in items or ()))))
