"""Tables with a row for each item of an array, or for some events only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.plugin import Accepted, Column, EventType, Kind, Pipeline, Rejected, check_event_type, typed_table
from lpa_core.plugins.example_event import example_event
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure

READINGS = typed_table(
    "readings",
    Column("station", Kind.LABEL, at="$.data.station.name"),
    Column("sensor", Kind.TEXT, at="sensor"),
    Column("value", Kind.FLOAT64, at="measured.value"),
    Column("sent_at", Kind.TIMESTAMP, nullable=True, at="sent_at"),
    Column("gateway", Kind.TEXT, at="$.gateway"),
    order_by=("station",),
    each="report.readings",
)
ALARMS = typed_table(
    "alarms",
    Column("station", Kind.LABEL, at="station.name"),
    order_by=("station",),
    one_of={"severity": ("high", "critical")},
)
HOT = typed_table(
    "hot",
    Column("sensor", Kind.TEXT, at="sensor"),
    order_by=(),
    each="report.readings",
    one_of={"state": {"hot"}, "$.data.severity": {"high"}},
)
REPORT = EventType("station", required=("data.station",), tables=(READINGS, ALARMS, HOT))


def event(data: Any) -> bytes:
    return json.dumps(
        {"id": "e", "type": "station", "timestamp": 1_767_900_000_000, "gateway": "g", "data": data}
    ).encode()


def _passes(document: Document) -> Failure | None:
    return None


FAST = Pipeline([REPORT])
THOROUGH = Pipeline([REPORT], plugin_validators=[_passes])


def rows(data: Any) -> dict[str, list[Any]]:
    verdict = FAST.validate(event(data))
    assert isinstance(verdict, Accepted)
    found: dict[str, list[Any]] = {}
    for table, row in verdict.rows:
        found.setdefault(table.name, []).append(row)
    return found


def test_each_item_makes_a_row_with_what_is_around_it() -> None:
    items = [{"sensor": "a", "measured": {"value": 1.5}}, {"sensor": "b", "sent_at": 1_767_900_000_001}]
    assert rows({"station": {"name": "s"}, "report": {"readings": items}}) == {
        "readings": [("s", "a", 1.5, None, "g"), ("s", "b", 0.0, 1_767_900_000_001, "g")]
    }


@pytest.mark.parametrize("report", [None, {}, {"readings": None}, {"readings": []}])
def test_without_items_there_is_no_row(report: Any) -> None:
    assert rows({"station": {"name": "s"}, "report": report}) == {}


def test_a_choice_makes_rows_of_some_events() -> None:
    assert rows({"station": {"name": "s"}, "severity": "high"}) == {"alarms": [("s",)]}
    assert rows({"station": {"name": "s"}, "severity": "low"}) == {}
    assert rows({"station": {"name": "s"}}) == {}


def test_a_choice_of_items_may_ask_what_is_around_them() -> None:
    items = [{"sensor": "a", "state": "hot"}, {"sensor": "b", "state": "cold"}]
    data = {"station": {}, "severity": "high", "report": {"readings": items}}
    assert rows(data)["hot"] == [("a",)]
    assert "hot" not in rows(data | {"severity": "critical"})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["high", "hot"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
ITEM = st.fixed_dictionaries(
    {}, optional={"sensor": JSON, "measured": st.fixed_dictionaries({"value": JSON}) | JSON, "state": JSON}
)
DATA = st.fixed_dictionaries(
    {"station": st.fixed_dictionaries({"name": JSON}) | JSON},
    optional={
        "severity": JSON,
        "report": st.fixed_dictionaries({"readings": st.lists(ITEM | JSON, max_size=4) | JSON}) | JSON,
    },
)


@given(DATA)
def test_both_paths_make_equal_rows(data: Any) -> None:
    record = event(data)
    fast, thorough = FAST.validate(record), THOROUGH.validate(record)
    assert type(fast) is type(thorough)
    if isinstance(fast, Accepted) and isinstance(thorough, Accepted):
        assert repr(fast.rows) == repr(thorough.rows)
        assert fast.discarded == thorough.discarded


def test_the_suite_and_the_example_event_know_such_tables() -> None:
    example = example_event(REPORT)
    example["data"]["station"] = {"name": "s"}
    assert isinstance(FAST.validate(json.dumps(example).encode()), Accepted)
    items = [{"sensor": "a", "measured": {"value": 1}, "sent_at": 1_767_900_000_000, "state": "hot"}]
    data = {"station": {"name": "s"}, "severity": "high", "report": {"readings": items}}
    check_event_type(REPORT, [event(data)])


def test_a_strict_column_of_an_item_rejects_and_names_the_path() -> None:
    strict = typed_table(
        "t", Column("value", Kind.INT32, at="value", on_mismatch="reject"), order_by=(), each="readings"
    )
    verdict = Pipeline([EventType("station", tables=(strict,))]).validate(event({"readings": [{"value": "x"}]}))
    assert isinstance(verdict, Rejected)
    assert verdict.failure.details.startswith("data.readings[].value is 'x'")


def test_of_two_columns_that_read_one_value_the_strict_one_decides() -> None:
    lenient = typed_table("a", Column("value", Kind.INT32, at="value"), order_by=())
    strict = typed_table("b", Column("value", Kind.INT32, at="value", on_mismatch="reject"), order_by=())
    for tables in ((lenient, strict), (strict, lenient)):
        pipeline = Pipeline([EventType("station", tables=tables)])
        assert isinstance(pipeline.validate(event({"value": "x"})), Rejected)
        assert isinstance(pipeline.validate(event({"value": "7"})), Accepted)


def test_items_of_data_that_is_an_array_have_arrays_of_their_own() -> None:
    table = typed_table(
        "t", Column("a", Kind.TEXT, at="$.data.a"), Column("b", Kind.TEXT, at="b"), order_by=(), each="inner"
    )
    pipeline = Pipeline([EventType("station", tables=(table,), requires_items=True)])
    verdict = pipeline.validate(
        event([{"a": "1", "inner": [{"b": "x"}, {"b": "y"}]}, {"a": "2", "inner": [{"b": "z"}]}])
    )
    assert isinstance(verdict, Accepted)
    assert [row for _, row in verdict.rows] == [("1", "x"), ("1", "y"), ("2", "z")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"each": "a[].b"}, "each is 'a[].b': write the path of one array"),
        ({"each": "$.data.a"}, "each is '$.data.a': write the path of one array"),
        ({"each": 3}, "each is an int: it must be a path"),
        ({"one_of": {"a": "high"}}, "one_of a is a str: it must be a list or tuple"),
        ({"one_of": {"a": []}}, "one_of a: give texts"),
        ({"one_of": {"a": [""]}}, "one_of a: give texts"),
        ({"one_of": {"$.timestamp": ["1"]}}, "one_of: $.timestamp is not one text"),
        ({"one_of": {"count": ["1"]}}, "one_of: count is not read as text"),
        ({"each": "count"}, "count is a value, an object or an array"),
        ({"keep_days": 0}, "keep_days is 0: it must be a whole number from 1 to 36500"),
        ({"keep_days": True}, "keep_days is True"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_declared(arguments: dict[str, Any], message: str) -> None:
    other = typed_table("other", Column("count", Kind.INT32, at="count"), order_by=())

    def declare() -> EventType:
        table = typed_table("table", Column("a", Kind.TEXT, at="$.id"), order_by=(), **arguments)
        return EventType("t", tables=(other, table))

    with pytest.raises(ValueError, match=r"table ") as refused:
        declare()
    assert message in str(refused.value)
