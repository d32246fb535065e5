"""Media types, CSV and entity tags."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_ops.read_api.fields import Field, as_objects, row_schema
from lpa_ops.read_api.problem import ReadRefused
from lpa_ops.read_api.rendering import CSV, JSON, as_csv, chosen_type, entity_tag, is_held


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV; charset=utf-8", CSV),
        ("text/*", CSV),
        ("text/csv;q=0.5, application/json", JSON),
        ("application/json;q=0.1, text/csv;q=0.2, */*;q=0.9", CSV),
        ("application/json;q=0, */*", CSV),
        ("text/html, */*;q=0.1", JSON),
    ],
)
def test_the_client_chooses(accept: str, chosen: str) -> None:
    assert chosen_type(accept, (JSON, CSV)) == chosen


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*", ",", "q=1"])
def test_what_is_not_offered_is_refused(accept: str) -> None:
    with pytest.raises(ReadRefused, match="this is offered as application/json"):
        chosen_type(accept, (JSON,))


@given(st.lists(st.tuples(st.text(), st.none() | st.integers() | st.floats(allow_nan=False)), max_size=5))
def test_csv_holds_what_json_holds(rows: list[tuple[object, object]]) -> None:
    found = as_objects(("a", "b"), rows)
    read = [*csv.reader(io.StringIO(as_csv(("a", "b"), found).decode(), newline=""))]
    assert read == [["a", "b"], *[["" if each is None else str(each) for each in row.values()] for row in found]]


def test_a_tag_is_held_by_who_sent_it() -> None:
    tag = entity_tag(b"rows")
    assert tag != entity_tag(b"other rows")
    assert all(is_held(tag, held) for held in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"))
    assert not any(is_held(tag, held) for held in ("", '"x"', tag[:-2]))


def test_types_of_the_database_become_those_of_json() -> None:
    fields = (
        Field("time", "DateTime64(3, 'UTC')"), Field("label", "LowCardinality(String)"),
        Field("count", "UInt64", "how many"), Field("change", "Nullable(Int64)"), Field("share", "Float64"),
        Field("names", "Array(String)"), Field("warm", "Nullable(Bool)"),
    )  # fmt: skip
    properties = row_schema(fields)["properties"]
    assert properties == {
        "time": {"type": "string", "format": "date-time"},
        "label": {"type": "string"},
        "count": {"type": "integer", "format": "int64", "minimum": 0, "description": "how many"},
        "change": {"type": ["integer", "null"], "format": "int64"},
        "share": {"type": ["number", "null"]},
        "names": {"type": "array", "items": {"type": "string"}},
        "warm": {"type": ["boolean", "null"]},
    }
    assert as_objects(("share",), [(float("nan"),), (float("inf"),), (0.5,)]) == [
        {"share": None}, {"share": None}, {"share": 0.5},
    ]  # fmt: skip
