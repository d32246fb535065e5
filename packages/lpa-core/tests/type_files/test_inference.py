"""What is proposed from samples takes these samples."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.events.event_type import EventType
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.events.row import own_columns
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.type_files.declarations import declared
from lpa_core.type_files.inference import SamplesError, proposed
from lpa_core.type_files.trial import tried
from lpa_core.type_files.written import written

NOON = 1_767_873_600


def reread(event_types: Any) -> tuple[EventType, ...]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "types.toml"
        file.write_text(written(event_types))
        return declared([file], BUILTIN_EVENT_TYPES).required().event_types


def columns(event_type: EventType, table: int = 0) -> dict[str, str]:
    return {
        column.name: f"{column.kind}{'?' if column.nullable else ''} {column.at}"
        for column in own_columns(event_type.tables[table])
    }


def test_documents_without_an_envelope_get_a_mapping() -> None:
    samples = [
        {"id": f"r{number}", "when": NOON + number, "room": "attic" if number % 2 else "hall", "value": number / 2}
        for number in range(8)
    ]
    samples[3]["on"] = True
    (found,) = proposed(samples, "reading").event_types
    mapping = found.envelope
    assert mapping is not None
    assert (found.name, mapping.timestamp, mapping.time.value, mapping.id) == ("reading", "when", "seconds", ("id",))
    assert mapping.has == ("id", "when", "room", "value")
    assert found.required == ("data.id",)
    assert columns(found) == {
        "id": "text id",
        "when": "int64 when",
        "room": "label room",
        "value": "float64 value",
        "on": "uint8? on",
    }


def test_documents_that_say_what_they_are_make_a_type_each() -> None:
    samples = [{"kind": kind, "at": "2026-01-08T12:00:00Z", "x": 1} for kind in ("a", "b", "a")]
    samples.append({"type": "c", "time": NOON * 1000, "data": {"y": "z"}})
    found = proposed(samples, "unused").event_types
    assert [each.name for each in found] == ["a", "b", "c"]
    assert found[0].envelope is not None
    assert found[0].envelope.when == {"kind": ("a",)}
    assert found[2].envelope is not None
    assert (found[2].envelope.data, found[2].envelope.timestamp) == ("data", "time")
    assert columns(found[2]) == {"y": "text y"}


def test_arrays_of_objects_make_tables_with_a_row_for_each() -> None:
    data = {
        "room": "hall",
        "sensors": [{"name": "t", "value": 1}, {"name": "h"}],
        "tags": ["x"],
        "odd.name": 1,
        "version": 3,
    }
    proposal = proposed([{"type": "report", "timestamp": NOON * 1000, "data": data}], "unused")
    (found,) = proposal.event_types
    assert [table.each for table in found.tables] == ["", "sensors"]
    assert columns(found, 1) == {"room": "text $.data.room", "name": "text name", "value": "int64? value"}
    assert [line.partition(": ")[2].partition(":")[0] for line in proposal.left_out] == ["version", "tags", "odd.name"]


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ([], "there is no sample"),
        ([3], "sample 1 is not an object"),
        ([{"a": 1}], "no attribute holds a time"),
        ([{"at": NOON}, {"at": "soon"}], "no attribute holds a time"),
        ([{"type": "a", "timestamp": 1, "data": 3}], "data of 'a' is neither an object nor an array of objects"),
    ],
)
def test_samples_of_which_nothing_can_be_made_are_refused(samples: list[Any], told: str) -> None:
    with pytest.raises(SamplesError, match=told):
        proposed(samples, "x")


NAMES = st.text(max_size=6) | st.sampled_from(["id", "type", "version", "org", "a.b", "event_date", "Id", "x", "X"])
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
)
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
OBJECT = st.dictionaries(NAMES, VALUE, max_size=5)
BARE = OBJECT.map(
    lambda document: {key: document[key] for key in document if key not in ("type", "kind", "event")} | {"when": NOON}
)
ENVELOPED = st.builds(
    lambda name, data: {"type": name, "id": "i", "timestamp": NOON * 1000, "data": data},
    st.sampled_from(["a", "b"]),
    OBJECT.map(lambda data: {key: data[key] for key in data if key != "version"}),
)


@settings(max_examples=15)
@given(st.lists(BARE | ENVELOPED, min_size=1, max_size=5))
def test_a_proposal_can_be_written_and_read_and_accepts_its_samples(samples: list[dict[str, Any]]) -> None:
    records = [json.dumps(sample).encode() for sample in samples]
    event_types = reread(proposed([json.loads(record) for record in records], "bare").event_types)
    assert tried(Pipeline(event_types), records).rejected == {}


def test_paths_that_meet_an_array_are_told() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "types.toml"
        file.write_text(
            '[types.a.tables.t.columns]\nx = { kind = "text", at = "items.name" }\nlist = "text"\n'
            'fine = { kind = "text", at = "items[].name" }\n'.replace("items[].name", "other[].name")
        )
        event_types = declared([file]).required().event_types
    data = {"items": [{"name": "n"}], "list": [1], "other": [{"name": "m"}]}
    record = json.dumps({"type": "a", "timestamp": NOON * 1000, "data": data}).encode()
    trial = tried(Pipeline(event_types), [record, b"{", record])
    assert trial.hints == (
        "table t: column x: 'items.name' meets the array items in the data: write items[].name for the texts of all, "
        "items[key=value].name for one, or give a table each = 'items' for a row of each",
        "table t: column list: 'list' is an array in the data: give a table each = 'list' for a row of each object "
        "in it",
    )
    assert (trial.count, [*trial.rejected], trial.unfit) == (3, [2], 4)
