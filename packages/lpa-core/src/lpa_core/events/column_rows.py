"""Makes an event's rows of what its columns say: a function for each event type, written once and compiled.

It is what a person would write by hand: each object of the data is looked up once, and a row is one tuple.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, final

import attrs
from msgspec import UNSET

from lpa_core.events.model import Stored, Text
from lpa_core.events.model_from_columns import ObjectNode, missing_value, sources
from lpa_core.events.paths import PathStep, array_steps, begins_in_item, of_envelope, steps
from lpa_core.events.row import MakeRows
from lpa_core.events.times import settling
from lpa_core.tables.table import Column, Kind, Table

_INDENT: Final = "    "


def rows_maker(tables: Sequence[tuple[Table, Sequence[Column]]], tree: ObjectNode, *, each: bool) -> MakeRows:
    """The function that makes rows of a model's object, or with ``each`` of every object in a list.

    ``tables`` gives for each the columns that a row has values for. Raises ValueError at a path that is none.
    """
    writer = _Writer(tree)
    indent = _INDENT * (2 if each else 1)
    chosen = any(table.each or table.one_of for table, _ in tables)
    if chosen:
        for table, columns in tables:
            writer.append_rows(table, columns)
        rows = []
    else:
        rows = [writer.row(table, columns) for table, columns in tables]
    body = [indent + line for line in writer.lines]
    if each or chosen:
        body = [
            f"{_INDENT}rows = []",
            *([f"{_INDENT}for data in items:"] if each else []),
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

    _tree: ObjectNode
    lines: list[str] = attrs.field(factory=list)
    names: dict[str, Any] = attrs.field(factory=dict)
    """What the text calls by name."""
    _variables: dict[tuple[Any, ...], str] = attrs.field(factory=dict)
    """Steps that were taken -> the variable that holds the object there."""
    _item: tuple[str, ObjectNode, str] | None = None
    """In a loop over an array: the variable of an item, what is read of it, and the array's path."""
    _indent: str = ""

    def named(self, what: str, value: Any) -> str:
        name = f"{what}_{len(self.names)}"
        self.names[name] = value
        return name

    def row(self, table: Table, columns: Sequence[Column]) -> str:
        values = [self._value(column) for column in columns]
        return f"({self.named('table', table)}, ({', '.join(values)}{',' if values else ''}))"

    def append_rows(self, table: Table, columns: Sequence[Column]) -> None:
        """Write what appends a table's rows: one for each item of its array, if it names one, and fits its choice."""
        before, indent = dict(self._variables), self._indent
        if table.each:
            *way, last = array_steps(table.each)
            variable, node = self._reach("data", self._tree, way)
            item = f"item_{len(self.lines)}"
            self._write(f"for {item} in {variable}.{node.attribute(last.name)} or ():")
            self._indent += _INDENT
            self._item = (item, node.arrays[last.name], table.each)
        for path, texts in table.one_of.items():
            found = self._read(path, Text)
            self._write(f"if ({found} or '') in {self.named('texts', frozenset(texts))}:")
            self._indent += _INDENT
        self._write(f"rows.append({self.row(table, columns)})")
        # What was looked up in a loop or a branch is not there after it.
        self._variables, self._indent, self._item = before, indent, None

    def _write(self, line: str) -> None:
        self.lines.append(self._indent + line)

    def _value(self, column: Column) -> str:
        """An expression for a column's value; what it takes to get there is written before."""
        (path, annotation), *others = sources(column)
        found = self._read(path, annotation)
        text = column.kind in (Kind.TEXT, Kind.LABEL)
        for other, other_annotation in others:
            otherwise = self._read(other, other_annotation)
            found = f"({found} or {otherwise})" if text else self._first(found, otherwise)
        if column.by_key:
            found = self._by_key(column, found)
        return f"({found} or None)" if text and column.nullable else found

    def _by_key(self, column: Column, found: str) -> str:
        variable, unset = f"text_{len(self.lines)}", self.named("unset", UNSET)
        self._write(f"{variable} = {found}")
        otherwise = "".join(
            f"{self.named('said', said)} if data.{self._tree.attribute(key)} is not {unset} else "
            for key, said in column.by_key.items()
        )
        return f"({variable} if {variable}.strip() else {otherwise}'')"

    def _first(self, found: str, otherwise: str) -> str:
        variable = f"value_{len(self.lines)}"
        self._write(f"{variable} = {found}")
        return f"({otherwise} if {variable} is None else {variable})"

    def _read(self, path: str, annotation: Any) -> str:
        attribute = of_envelope(path)
        if attribute is not None:
            return f"envelope.{attribute}"
        *before, last = steps(path)
        variable, node = "data", self._tree
        if self._item is not None and begins_in_item(path, self._item[2]):
            variable, node, _ = self._item
        if before and before[-1].each:
            variable, node = self._reach(variable, node, before[:-1])
            below = node.arrays[before[-1].name]
            items = f"{variable}.{node.attribute(before[-1].name)}"
            return f"{self.named('joined', _joined)}({items}, {below.attribute(last.name)!r})"
        variable, node = self._reach(variable, node, before)
        value = f"{variable}.{node.attribute(last.name)}"
        if last.name in node.noticed - node.filled:
            unset, missing = self.named("unset", UNSET), self.named("missing", missing_value(annotation))
            value = f"({missing} if {value} is {unset} else {value})"
        settle = settling(annotation)
        if settle is not None:
            value, before_it = f"time_{len(self.lines)}", value
            self._write(f"{value} = {before_it}")
            believed = f"{self.named('settle', settle)}({value}, envelope.timestamp, discarded)"
            self._write(f"if {value} is not None: {value} = {believed}")
        for stored in annotation.__metadata__:
            if isinstance(stored, Stored):
                value = f"{self.named('convert', stored.convert)}({value})"
        return value

    def _reach(self, variable: str, node: ObjectNode, way: Sequence[PathStep]) -> tuple[str, ObjectNode]:
        """The variable that holds the object at the end of the steps, and what is read of it."""
        begin = variable
        for depth, step in enumerate(way, 1):
            below = node.arrays[step.name] if step.key else node.objects[step.name]
            key = (begin, *way[:depth])
            if key not in self._variables:
                self._variables[key] = f"object_{len(self.names)}"
                look_up = self._look_up_item if step.key else self._look_up
                look_up(self._variables[key], f"{variable}.{node.attribute(step.name)}", below, step)
            variable, node = self._variables[key], below
        return variable, node

    def _look_up(self, variable: str, value: str, below: ObjectNode, step: PathStep) -> None:
        self._write(f"{variable} = {value} or {self.named('nothing', below.model())}")

    def _look_up_item(self, variable: str, value: str, below: ObjectNode, step: PathStep) -> None:
        self._write(f"{variable} = {self.named('nothing', below.model())}")
        self._write(f"for item in {value} or ():")
        wanted = f"item.{below.attribute(step.key)} == {step.value!r}"
        self._write(f"{_INDENT}if {wanted}: {variable} = item")


def _joined(items: Iterable[Any] | None, attribute: str) -> str:
    """The texts of the items, each once, in their order."""
    return ",".join(dict.fromkeys(filter(None, (getattr(item, attribute) for item in items or ()))))
