"""Whether what an event type declares can be: names, paths, columns and the model, each by itself and together."""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from lpa_core.argument_checks import shown_type
from lpa_core.events.envelope import wire_envelope
from lpa_core.events.fields import fields, is_model
from lpa_core.events.lenient_decoding import coercion_for
from lpa_core.events.model import Stored, carries_version
from lpa_core.events.model_from_columns import sources
from lpa_core.events.paths import of_envelope, steps
from lpa_core.tables.row_layout import LEADING_COLUMNS
from lpa_core.tables.table import INTEGER_BOUNDS, Column, Kind, Table

_HELD: Final[dict[Kind, tuple[type, ...]]] = {
    **dict.fromkeys((Kind.TEXT, Kind.LABEL), (str,)),
    **dict.fromkeys((Kind.FLOAT32, Kind.FLOAT64), (float, int)),
    **dict.fromkeys(
        (
            *(Kind.INT32, Kind.INT64, Kind.UINT8, Kind.UINT16, Kind.UINT32, Kind.UINT64),
            Kind.TIMESTAMP,
        ),
        (int,),
    ),
}
"""The types of the values that a column of each kind takes."""
_SAMPLES: Final[dict[Any, Any]] = {str: "1", int: 1, float: 1.0, bool: True}


def require_own_columns(name: str, columns: Iterable[object]) -> None:
    """Raise ValueError if a column is none, or has a name that lpa gives to a column of every typed table."""
    taken = {column.name for column in LEADING_COLUMNS} | {"event_date"}
    for column in columns:
        if not isinstance(column, Column):
            raise ValueError(f"table {name}: {shown_type(column)} stands for a column: it must be a Column")
        if column.name.lower() in taken:
            raise ValueError(
                f"table {name}: lpa adds a column {column.name.lower()} itself: leave yours out or rename it"
            )


def require_typed(table: Table) -> None:
    """Raise ValueError if a table's rows do not begin with what lpa fills in."""
    if table.columns[: len(LEADING_COLUMNS)] != LEADING_COLUMNS:
        raise ValueError(f"table {table.name} does not begin with the leading columns: declare it with typed_table")


def require_paths(required: Iterable[str], model: Any, *, items: bool) -> None:
    """Raise ValueError if a required path could never be found, or is none.

    Args:
        model: what data is decoded into, where a person wrote it; None if lpa makes it from the columns.
        items: data is an array.
    """
    is_list = typing.get_origin(model) is list
    objects = [] if is_list else [each for each in typing.get_args(model) or (model,) if is_model(each)]
    for path in required:
        if path in ("id", "data"):
            continue
        if not path.startswith("data."):
            raise ValueError(f"required {path!r} is neither id, data, nor data. and a path in it")
        found = steps(path.removeprefix("data."))
        if any(step.of_array for step in found):
            raise ValueError(f"required {path!r} chooses an item of an array, which required cannot")
        if items or (model is not None and not objects):
            raise ValueError(f"required {path!r} is in an object, and data is an array: require data alone")
        for each in objects:
            if all(name != found[0].name for _, name, _ in fields(each)):
                raise ValueError(f"required {path!r}: {each.__name__} has no attribute {found[0].name}")
            if _default(each, [step.name for step in found]):
                raise ValueError(f"required {path!r}: {each.__name__} has a default there: make it empty, or None")


def _default(model: Any, path: Iterable[str]) -> Any:
    """What stands at the path of a model that was decoded from nothing: what would pass for a value that is missing."""
    try:
        return functools.reduce(getattr, path, msgspec.json.decode(b"{}", type=model))
    except (AttributeError, TypeError, msgspec.ValidationError):  # what is not a model is refused by its own check
        return None


def require_model(name: str, model: Any) -> None:
    """Raise ValueError if data cannot be decoded into the model, or cannot be coerced into it."""
    if model is None:
        raise ValueError("has a shape and no model: the model says what shape is given")
    try:
        coercion_for(model)
        carries_version(model)
        msgspec.json.Decoder(wire_envelope(name, model))
    except Exception as error:  # of whatever kind: attrs, typing and msgspec each have their own
        raise ValueError(f"its model cannot be used: {' '.join(str(error).split())}") from None


def require_coerced(columns: Iterable[Column]) -> None:
    """Raise ValueError if a column rejects what a shape has read for it."""
    for column in columns:
        if column.by_key:
            raise ValueError(f"column {column.name}: by_key needs an event type without shape")
        if column.on_mismatch != "coerce":
            raise ValueError(f"column {column.name}: on_mismatch needs at=, and an event type without shape")


def require_readable(columns: Iterable[Column]) -> None:
    """Raise ValueError if what a column reads is not what its kind holds; the message names the column."""
    for column in columns:
        try:
            _require_readable(column)
        except ValueError as error:
            raise ValueError(f"column {column.name}: {error}") from None


def require_choices(tables: Iterable[Table]) -> None:
    """Raise ValueError if what a table's ``one_of`` compares cannot be text; the message names the table."""
    for table in tables:
        for path in table.one_of:
            try:
                if of_envelope(path) == "timestamp" or any(step.each for step in steps(path) if not of_envelope(path)):
                    raise ValueError(f"{path} is not one text")
            except ValueError as error:
                raise ValueError(f"table {table.name}: one_of: {error}") from None


def _require_readable(column: Column) -> None:
    if column.reads is not None:
        _require_fitting(column)
    for path, _ in sources(column):
        attribute = of_envelope(path)
        if attribute is None:
            if any(step.each for step in steps(path)) and (
                column.kind not in (Kind.TEXT, Kind.LABEL) or column.reads is not None
            ):
                raise ValueError(f"{path} is several texts joined: its kind is TEXT or LABEL, without reads")
            if path.startswith("data."):
                raise ValueError(f"{path!r} would be data.{path} of the event: paths begin in data: write {path[5:]!r}")
            continue
        whole = column.kind in (Kind.TIMESTAMP, Kind.INT64, Kind.UINT64)
        if not (whole if attribute == "timestamp" else column.kind in (Kind.TEXT, Kind.LABEL)):
            held = "a time: its kind is TIMESTAMP" if attribute == "timestamp" else "text: its kind is TEXT or LABEL"
            raise ValueError(f"{path} is {held}, not {column.kind.name}")
    if column.reads is not None and not column.nullable and _nullable(column.reads) and _may_end_null(column):
        raise ValueError("reads a type that may be null: make the column nullable")


def _may_end_null(column: Column) -> bool:
    if column.otherwise is not None:
        return of_envelope(column.otherwise) is None
    return True


def _require_fitting(column: Column) -> None:
    if typing.get_origin(column.reads) is not typing.Annotated:
        raise ValueError(f"reads {_shown(column.reads)}, which is not a type of the module model")
    coercion = _coercion(column.reads)
    converts = [each.convert for each in column.reads.__metadata__ if isinstance(each, Stored)]
    least, most = INTEGER_BOUNDS.get(column.kind, (0, 0))
    for leaf, bounds in _leaves(column.reads):
        stored = _SAMPLES.get(leaf)
        for convert in converts:
            stored = convert(stored)
        if type(stored) not in _HELD[column.kind]:
            raise ValueError(f"reads values that a column of kind {column.kind.name} does not hold")
        if column.kind in INTEGER_BOUNDS and leaf is int and not (least <= bounds[0] and bounds[1] <= most):
            raise ValueError(f"reads numbers that a column of kind {column.kind.name} does not hold")
    if coercion(None, [0]) is None and not _nullable(column.reads):
        raise ValueError("reads a type whose rule makes null of nothing, and which cannot be null")


def _coercion(annotation: Any) -> Any:
    try:
        return coercion_for(annotation)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _shown(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else shown_type(annotation)


def _nullable(annotation: Any) -> bool:
    return any(leaf is type(None) for leaf, _ in _all_leaves(annotation, ()))


def _leaves(annotation: Any) -> Iterator[tuple[Any, tuple[float, float]]]:
    """Each plain type in the annotation but null, and the least and the most it may be."""
    for leaf, metas in _all_leaves(annotation, ()):
        if leaf is not type(None):
            least = max((each.ge for each in metas if each.ge is not None), default=-(2**63))
            most = min((each.le for each in metas if each.le is not None), default=2**63 - 1)
            yield leaf, (least, most)


def _all_leaves(annotation: Any, metas: tuple[msgspec.Meta, ...]) -> Iterator[tuple[Any, tuple[msgspec.Meta, ...]]]:
    if typing.get_origin(annotation) is typing.Annotated:
        metas = (*metas, *(each for each in annotation.__metadata__ if isinstance(each, msgspec.Meta)))
        yield from _all_leaves(typing.get_args(annotation)[0], metas)
    elif typing.get_args(annotation):
        for member in typing.get_args(annotation):
            yield from _all_leaves(member, metas)
    else:
        yield annotation, metas
