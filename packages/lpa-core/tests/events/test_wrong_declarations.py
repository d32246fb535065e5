"""Columns, tables and event types that cannot be: each is refused where it is declared, in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs
import pytest

from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import (
    Address,
    DigitsOrUInt32,
    EventData,
    Float64,
    Int64,
    NullableText,
    NullableUInt32,
    Text,
    UInt8,
)
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position
from lpa_core.tables.table import Column, Kind, Table

ANY: Any = None


@attrs.frozen(slots=True)
class Said(EventData):
    text: Text = ""


@attrs.frozen(slots=True)
class Item:
    text: Text = ""


@attrs.frozen(slots=True)
class Defaulted(EventData):
    text: Text = "none"
    item: Item = Item()


TEXT = Column("text", Kind.TEXT, at="text")
TABLE = typed_table("said", TEXT, order_by=("text",))


def shape(envelope: Envelope, data: Said) -> Iterable[tuple[Table, Row]]:
    return [(TABLE, (data.text,))]


async def async_shape(envelope: Envelope, data: Said) -> Iterable[tuple[Table, Row]]:
    return [(TABLE, (data.text,))]


def of_column(**more: Any) -> EventType:
    column = Column("own", **({"kind": Kind.TEXT, "at": "text"} | more))
    return EventType("own", tables=(typed_table("own", column, order_by=()),))


def of_columns(*columns: Column, **more: Any) -> EventType:
    return EventType("own", tables=(typed_table("own", *columns, order_by=()),), **more)


def shaped(**more: Any) -> EventType:
    return EventType(**({"name": "own", "model": Said, "tables": (TABLE,), "shape": shape} | more))


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "column without a name": (lambda: Column("", Kind.TEXT), "'' cannot name a column"),
    "column named by a number": (lambda: Column(ANY, Kind.TEXT), "None cannot name a column"),
    "column with a space": (lambda: Column("first name", Kind.TEXT), "'first name' cannot name a column"),
    "column with a line break": (lambda: Column("name\n", Kind.TEXT), "cannot name a column"),
    "path of the whole event": (
        lambda: EventType("own", tables=(typed_table("t", Column("a", Kind.TEXT, at="data.a"), order_by=()),)),
        "column a: 'data.a' would be data.data.a of the event: paths begin in data: write 'a'",
    ),
    "kind as text": (lambda: Column("a", "text"), "column a: kind is a str: it must be one of Kind"),  # type: ignore[arg-type]
    "kind of Python": (lambda: Column("a", int), "column a: kind is the class int"),  # type: ignore[arg-type]
    "nullable as text": (lambda: Column("a", Kind.TEXT, "yes"), "column a: nullable is a str"),  # type: ignore[arg-type]
    "path as list": (lambda: Column("a", Kind.TEXT, at=["a"]), "column a: at is a list"),  # type: ignore[arg-type]
    "otherwise as number": (lambda: Column("a", Kind.TEXT, at="a", otherwise=5), "otherwise is an int"),  # type: ignore[arg-type]
    "otherwise alone": (lambda: Column("a", Kind.TEXT, otherwise="b"), "column a: otherwise stands in for at"),
    "table with a space": (lambda: typed_table("my table", order_by=()), "'my table' cannot name a table"),
    "table named by None": (lambda: typed_table(ANY, order_by=()), "None cannot name a table"),
    "column twice": (lambda: typed_table("t", TEXT, TEXT, order_by=()), "table t has two columns named text"),
    "column twice by case": (
        lambda: typed_table("t", TEXT, Column("Text", Kind.TEXT), order_by=()),
        "table t has two columns named Text",
    ),
    "leading column": (
        lambda: typed_table("t", Column("source_offset", Kind.UINT64), order_by=()),
        "table t: lpa adds a column source_offset itself",
    ),
    "leading column by case": (lambda: typed_table("t", Column("Org", Kind.TEXT), order_by=()), "adds a column org"),
    "column of the sink": (lambda: typed_table("t", Column("event_date", Kind.TEXT), order_by=()), "event_date itself"),
    "columns as a list": (lambda: typed_table("t", [TEXT], order_by=()), "table t: a list stands for a column"),  # type: ignore[arg-type]
    "name for a column": (lambda: typed_table("t", "text", order_by=()), "table t: a str stands for a column"),  # type: ignore[arg-type]
    "order by text": (lambda: typed_table("t", TEXT, order_by="text"), "table t: order_by is a str"),  # type: ignore[arg-type]
    "order by columns": (lambda: typed_table("t", TEXT, order_by=(TEXT,)), "order_by has a Column"),  # type: ignore[arg-type]
    "order by no column": (
        lambda: typed_table("t", TEXT, order_by=("txt",)),
        "ordered by 'txt', which is none of its columns: name those",
    ),
    "order by null": (
        lambda: typed_table("t", Column("a", Kind.TEXT, nullable=True), order_by=("a",)),
        "table t is ordered by a, which can be null",
    ),
    "type without a name": (
        lambda: EventType("", tables=(TABLE,)),
        "name of an event type is empty: it must be text of at least one",
    ),
    "type named by bytes": (lambda: EventType(b"own", tables=(TABLE,)), "event type is a bytes"),  # type: ignore[arg-type]
    "type that is no Unicode": (lambda: EventType("\ud800", tables=(TABLE,)), "UTF-8 cannot carry"),
    "table alone": (lambda: EventType("own", tables=TABLE), "event type 'own': tables is a Table"),  # type: ignore[arg-type]
    "name of a table": (lambda: EventType("own", tables=("said",)), "tables has a str"),  # type: ignore[arg-type]
    "bare table": (lambda: EventType("own", tables=(Table("t", (TEXT,)),)), "declare it with typed_table"),
    "required as text": (lambda: shaped(required="data.text"), "event type 'own': required is a str"),
    "required that are none": (lambda: shaped(required=(5,)), "required has an int: each must be a str"),
    "required without data": (lambda: shaped(required=("text",)), "required 'text' is neither id, data"),
    "required of the envelope": (lambda: shaped(required=("$.id",)), r"required '\$\.id' is neither"),
    "required with a gap": (lambda: shaped(required=("data..text",)), "'.text' is not a path"),
    "required without an end": (lambda: shaped(required=("data.",)), "'' is not a path"),
    "required that the model lacks": (lambda: shaped(required=("data.txt",)), "Said has no attribute txt"),
    "required of text with a default": (
        lambda: shaped(model=Defaulted, required=("data.text",)),
        "required 'data.text': Defaulted has a default there: make it empty, or None",
    ),
    "required of an object with a default": (
        lambda: shaped(model=Defaulted, required=("data.item",)),
        "required 'data.item': Defaulted has a default there",
    ),
    "required item": (lambda: of_columns(TEXT, required=("data.a[b=c].d",)), "chooses an item of an array"),
    "required in each item": (
        lambda: of_columns(TEXT, required=("data.text",), requires_items=True),
        "is in an object, and data is an array",
    ),
    "required in a list": (lambda: shaped(model=list[Item], required=("data.text",)), "and data is an array"),
    "items as a number": (lambda: of_columns(TEXT, requires_items=1), "requires_items is an int"),
    "container as text": (lambda: shaped(requires_container="yes"), "requires_container is a str"),
    "shape without a model": (lambda: shaped(model=None), "has a shape and no model"),
    "shape that is none": (lambda: shaped(shape="rows"), "shape is a str: it must be a function"),
    "shape of one argument": (lambda: shaped(shape=lambda envelope: []), "shape cannot be called with"),
    "shape that is async": (lambda: shaped(shape=async_shape), "shape is async"),
    "shape that is a class": (lambda: shaped(shape=Item), "shape is the class Item"),
    "validator alone": (lambda: shaped(validators=shape), "validators is a function: it must be a list or tuple"),
    "validator that is none": (lambda: shaped(validators=[None]), "validators is None: it must be a function"),
    "validator of two": (
        lambda: shaped(validators=[shape]),
        r"validators: shape cannot be called with \(document\), as lpa does",
    ),
    "model that is an object": (lambda: shaped(model=Said()), "its model cannot be used: no coercion for"),
    "model of Python": (lambda: shaped(model=dict), "its model cannot be used: no coercion for"),
    "model without a base": (lambda: shaped(model=Item), "Item must derive from EventData"),
    "reads a class": (lambda: of_column(reads=str), "column own: reads str, which is not a type of"),
    "reads a name": (lambda: of_column(reads="Address"), "column own: reads a str, which is not a type of"),
    "reads text into a number": (lambda: of_column(kind=Kind.FLOAT32, reads=Text), "kind FLOAT32 does not hold"),
    "reads numbers into text": (lambda: of_column(reads=Float64), "a column of kind TEXT does not hold"),
    "reads large numbers": (lambda: of_column(kind=Kind.UINT8, reads=DigitsOrUInt32), "kind UINT8 does not hold"),
    "reads signed numbers": (lambda: of_column(kind=Kind.UINT64, reads=Int64), "kind UINT64 does not hold"),
    "reads null": (lambda: of_column(kind=Kind.UINT32, reads=NullableUInt32), "make the column nullable"),
    "gateway as a number": (lambda: of_column(kind=Kind.UINT32, at="$.gateway"), r"\$\.gateway is text"),
    "time as text": (lambda: of_column(at="$.timestamp"), r"\$\.timestamp is a time: its kind is TIMESTAMP"),
    "time as a short number": (lambda: of_column(kind=Kind.UINT32, at="$.timestamp"), "not UINT32"),
    "gateway instead of a number": (
        lambda: of_column(kind=Kind.INT64, otherwise="$.gateway"),
        "column own: .*gateway is text",
    ),
    "path of a shaped column": (
        lambda: shaped(tables=(typed_table("own", Column("a", Kind.TEXT, at="a..b"), order_by=()),)),
        "column a: 'a..b' is not a path",
    ),
}


@pytest.mark.parametrize(("declare", "problem"), WRONG.values(), ids=WRONG.keys())
def test_failure_30_a_declaration_that_cannot_be_is_refused_where_it_is_made(
    declare: Callable[[], object], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        declare()
    assert "\n" not in str(refused.value)


RIGHT = [
    lambda: of_column(),
    lambda: of_column(reads=Address),
    lambda: of_column(nullable=True, reads=NullableText),
    lambda: of_column(kind=Kind.UINT32, reads=DigitsOrUInt32),
    lambda: of_column(kind=Kind.INT32, reads=UInt8),
    lambda: of_column(kind=Kind.INT64, at="$.timestamp"),
    lambda: of_column(kind=Kind.TIMESTAMP, at="seen", otherwise="$.timestamp"),
    lambda: shaped(required=["id", "data", "data.text"], tables=[TABLE]),
    lambda: shaped(model=Defaulted, required=["data.item.text"]),
    lambda: of_columns(TEXT, required=("data.more.id", "data.first name")),
]


@pytest.mark.parametrize("declare", RIGHT)
def test_failure_30_what_can_be_is_taken_lists_for_tuples_too(declare: Callable[[], EventType]) -> None:
    assert Pipeline([*BUILTIN_EVENT_TYPES, declare()]).event_types["own"]


@pytest.mark.parametrize("given", [TABLE, "own", EventType, None])
def test_failure_30_a_pipeline_takes_event_types_only(given: Any) -> None:
    with pytest.raises(ValueError, match="stands for an event type: it must be an EventType"):
        Pipeline([given])


def test_failure_30_a_row_of_a_foreign_table_is_a_dead_letter_that_says_so() -> None:
    other = typed_table("other", TEXT, order_by=())
    own = shaped(shape=lambda envelope, data: [(other, (data.text,))])
    event = b'{"id": "1", "type": "own", "timestamp": 1767873600000, "data": {"text": "x"}}'
    verdict = Pipeline([own]).process(event, Position("events", 0, 0))
    assert isinstance(verdict, Rejected)
    assert "a table that the event type does not have among its tables" in verdict.failure.details
    assert isinstance(Pipeline([shaped()]).process(event, Position("events", 0, 0)), Accepted)
