"""What an event type's columns read of its data, as a tree, and the model that is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from keyword import iskeyword
from operator import attrgetter
from typing import Annotated, Any, final, get_args, get_origin

import attrs
import msgspec

from lpa_core.events.coercion import anything
from lpa_core.events.fields import fields
from lpa_core.events.lenient_decoding import coercion_for
from lpa_core.events.mismatch import Rejecting, rejecting, rejecting_shape
from lpa_core.events.model import EventStruct, Text, annotation_of
from lpa_core.events.noticed import noticed
from lpa_core.events.paths import PathStep, array_steps, begins_in_item, of_envelope, steps, steps_from_data
from lpa_core.tables.table import Column, Kind, Table


@final
@attrs.define(slots=True, eq=False)
class ObjectNode:
    """An object of the data: the values that are read of it, the objects in it, and the arrays of objects."""

    values: dict[str, Any] = attrs.field(factory=dict)
    """Name -> annotation."""
    objects: dict[str, ObjectNode] = attrs.field(factory=dict)
    arrays: dict[str, ObjectNode] = attrs.field(factory=dict)
    """Name -> what is read of its items."""
    filled: frozenset[str] = frozenset()
    """Values that are never missing and, being text, never empty."""
    noticed: set[str] = attrs.field(factory=set)
    """Names of which it matters whether they are there."""
    model: Any = None
    rejects: bool = False
    """Whether a value in it, or below it, is rather rejected than coerced."""

    def attribute(self, name: str) -> str:
        """The model's attribute for a name in the JSON."""
        return next(attribute for attribute, encoded, _ in fields(self.model) if encoded == name)

    def text_at(self, name: str) -> Callable[[Any], str]:
        """Gives the text of that name of an object. Raises ValueError if it is read as something else."""
        if get_args(self.values.get(name))[:1] != (str,) or name in self.noticed:
            raise ValueError(f"key_at is {name!r}, which is not read as text, or is among by_key")
        found: Callable[[Any], str] = attrgetter(self.attribute(name))
        return found


def tree_of(
    name: str, tables: Sequence[tuple[Table, Iterable[Column]]], required: Iterable[str], *, each: bool
) -> ObjectNode:
    """The tree of all paths of tables and columns, and of required ones below the data, with its models made.

    Args:
        name: of the event type; models are named after it.
        tables: each with the columns that are read for it.
        each: the tree is one of an item of the data.

    Raises ValueError if paths contradict each other; the message names the column or table.
    """
    root = ObjectNode()
    for table, columns in tables:
        if table.each:
            try:
                _reach(root, array_steps(table.each))
            except ValueError as error:
                raise ValueError(f"table {table.name}: {error}") from None
        for column in columns:
            try:
                for path, annotation in sources(column, table.each):
                    if of_envelope(path) is None:
                        _add(root, steps_from_data(path, table.each), annotation)
                root.noticed.update(map(_key, column.by_key))
            except ValueError as error:
                raise ValueError(f"column {column.name}: {error}") from None
    for table, _ in tables:
        try:
            for path in table.one_of:
                if of_envelope(path) is None:
                    _add_text(root, steps_from_data(path, table.each))
        except ValueError as error:
            raise ValueError(f"table {table.name}: one_of: {error}") from None
    for path in () if each else required:
        if path.startswith("data."):
            first, *rest = steps(path.removeprefix("data."))
            with suppress(ValueError):  # a column reads it as something else, or of it
                _add(root, (first, *rest), Text)
            if not rest and get_args(root.values.get(first.name))[:1] == (str,):
                root.filled |= {first.name}
    _make(root, f"{name}.data", () if each else (EventStruct,))
    return root


def sources(column: Column, each: str = "") -> list[tuple[str, Any]]:
    """Where the column's value may be, in order, and as what it is read there; ``each`` is its table's.

    Raises ValueError.
    """
    if column.at is None:
        raise ValueError("says no path, and the event type has nothing else that makes rows: give it one with at=")
    if column.otherwise is None:
        return [(column.at, _annotated(column, column.at, each, nullable=column.nullable))]
    # The first has to tell whether there is anything; text is empty then.
    maybe = column.nullable or column.kind not in (Kind.TEXT, Kind.LABEL)
    is_envelope = of_envelope(column.otherwise)
    last = Text if is_envelope else _annotated(column, column.otherwise, each, nullable=column.nullable)
    return [(column.at, _annotated(column, column.at, each, nullable=maybe)), (column.otherwise, last)]


def _annotated(column: Column, path: str, each: str, *, nullable: bool) -> Any:
    annotation = annotation_of(column, nullable=nullable)
    if column.on_mismatch == "coerce" or of_envelope(path):
        return annotation
    shown = f"{each}[].{path}" if begins_in_item(path, each) else path.removeprefix("$.data.")
    return rejecting(annotation, shown, f"what column {column.name} of kind {column.kind.name} holds")


def _reach(node: ObjectNode, path: tuple[PathStep, ...]) -> ObjectNode:
    """The object at the path, or what is read of an array's items there; made where it is missing."""
    for step in path:
        inner = node.arrays if step.of_array else node.objects
        _require_free(step.name, *(kind for kind in (node.values, node.objects, node.arrays) if kind is not inner))
        node = inner.setdefault(step.name, ObjectNode())
    return node


def _require_free(name: str, *others: dict[str, Any]) -> None:
    if any(name in other for other in others):
        raise ValueError(f"{name} is a value, an object or an array, and another column takes it for another")


def _add(node: ObjectNode, path: tuple[PathStep, ...], annotation: Any) -> None:
    step, rest = path[0], path[1:]
    if not rest:
        there = node.values.get(step.name, annotation)
        if there is not annotation and _read_as(there) != _read_as(annotation):
            raise ValueError(
                f"{step.name} is read as something else by another column: give both the same kind, nullable and reads"
            )
        _require_free(step.name, node.objects, node.arrays)
    below = _reach(node, path[:1]) if rest else node
    rejects = any(isinstance(each, Rejecting) for each in annotation.__metadata__)
    node.rejects = node.rejects or rejects
    if not rest:
        if rejects or step.name not in node.values:
            node.values[step.name] = annotation
        return
    if step.key:
        _add(below, (PathStep(step.key),), Text)
    _add(below, rest, annotation)


def _read_as(annotation: Any) -> tuple[Any, ...]:
    """The annotation without whether what does not fit is rejected: if one of two columns rejects, that decides."""
    return (get_args(annotation)[0], *(each for each in annotation.__metadata__ if not isinstance(each, Rejecting)))


def _add_text(root: ObjectNode, path: tuple[PathStep, ...]) -> None:
    """Have the text there read, unless a column reads it. Raises ValueError if it reads something else."""
    node, last = root, path[-1].name
    for step in path[:-1]:
        node = (node.arrays if step.of_array else node.objects).get(step.name, ObjectNode())
    if last not in node.values:
        _add(root, path, Text)
    elif str not in _plain_types(node.values[last]):
        raise ValueError(f"{last} is not read as text by a column: its kind is TEXT or LABEL")


def _plain_types(annotation: Any) -> set[Any]:
    members = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return {leaf for member in members for leaf in _plain_types(member)} or {annotation}


def _make(node: ObjectNode, name: str, bases: tuple[type[msgspec.Struct], ...] = ()) -> None:
    found: list[tuple[str, Any, Any]] = []
    for key, annotation in node.values.items():
        if key in node.filled:
            found.append((key, Annotated[annotation, msgspec.Meta(min_length=1)], msgspec.NODEFAULT))
        elif key in node.noticed:
            found.append((key, noticed(annotation, coercion_for(annotation)), msgspec.UNSET))
        else:
            found.append((key, annotation, missing_value(annotation)))
    for key in sorted(node.noticed - node.values.keys()):
        if key in node.objects or key in node.arrays:
            raise ValueError(f"by_key has {key}, in which a column reads: name a key that holds a value")
        found.append((key, noticed(Any, anything), msgspec.UNSET))
    for key, below in node.objects.items():
        _make(below, f"{name}.{key}")
        found.append((key, _in_shape(below, below.model | None, f"{name}.{key}", dict), None))
    for key, below in node.arrays.items():
        _make(below, f"{name}.{key}.item")
        array = list[below.model] | None  # type: ignore[name-defined]  # a model made just now
        found.append((key, _in_shape(below, array, f"{name}.{key}", list), None))
    if bases and any(key == "version" for key, _, _ in found):
        raise ValueError("version is the envelope's: read it at $.version")
    named = [(_identifier(key, index), annotation, default) for index, (key, annotation, default) in enumerate(found)]
    node.model = msgspec.defstruct(
        name,
        named,
        bases=bases or None,
        rename={attribute: key for (attribute, _, _), (key, _, _) in zip(named, found, strict=True)},
        kw_only=True,
        frozen=True,
        gc=False,
    )


def _in_shape(node: ObjectNode, annotation: Any, name: str, shape: type) -> Any:
    if not node.rejects:
        return annotation
    return rejecting_shape(annotation, name.partition(".data.")[2], shape)


def _identifier(key: str, index: int) -> str:
    # Python takes some other letters for each other.
    usable = key.isascii() and key.isidentifier() and not iskeyword(key) and not key.startswith("_")
    return key if usable else f"field_{index}"


def _key(path: str) -> str:
    (first, *rest) = steps(path)
    if rest or first.of_array:
        raise ValueError(f"by_key has {path!r}: name a key of the data itself")
    return first.name


def missing_value(annotation: Any) -> Any:
    """What the annotation's own rule makes of nothing."""
    rule = next(item for item in reversed(annotation.__metadata__) if callable(item))
    return rule(None, [0])
