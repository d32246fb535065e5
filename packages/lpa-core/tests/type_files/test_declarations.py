"""Files of event types: what they declare is what a Python plugin declares, and what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from lpa_core.events.envelope_mapping import EnvelopeMapping, TimeFormat
from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate import generate
from lpa_core.job_events import lpa_event_types as job_types
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.tables.table import Column, Kind
from lpa_core.type_files.declarations import Declared, declared
from lpa_core.type_files.faults import EventTypesError
from lpa_core.type_files.written import written
from lpa_core.validation.ignore_rules import BUILTIN_IGNORE_RULES, IgnoreRule

WHOLE = """
[types.reading]
required = ["data.sensor"]
key_at = "key"
on_mismatch = "reject"

[types.reading.envelope]
has = ["sensor", "at"]
when = { kind = ["a", "b"], site = "x" }
id = "n"
timestamp = "at"
time = "seconds"
gateway = "site"

[types.reading.tables.readings]
order_by = "sensor"
keep_days = 30
each = "values"
one_of = { "$.data.kind" = "a" }
on_mismatch = "coerce"

[types.reading.tables.readings.columns]
sensor = { kind = "label", at = "$.data.sensor" }
value = { kind = "float64", nullable = true, note = "percent", on_mismatch = "reject" }

[types.reading.tables.states.columns]
key = "text"
sensor = "label"
owner = { kind = "text", at = "owner.address", otherwise = "owner_address", reads = "address" }
subtype = { kind = "label", at = "type", by_key = { cold = "freezing", hot = "boiling" } }

[ignore.bench]
event_types = ["reading"]
where = { sensor = "bench" }
"""


def read(tmp_path: Path, text: str, others: Any = ()) -> Declared:
    file = tmp_path / "types.toml"
    file.write_text(text)
    return declared([file], others)


def test_a_file_declares_what_python_would(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE).required()
    expected = EventType(
        "reading",
        required=("data.sensor",),
        key_at="key",
        requires_object=True,
        envelope=EnvelopeMapping(
            "at",
            TimeFormat.SECONDS,
            has=("sensor", "at"),
            when={"kind": ("a", "b"), "site": ("x",)},
            id=("n",),
            gateway="site",
        ),
        tables=(
            typed_table(
                "readings",
                Column("sensor", Kind.LABEL, at="$.data.sensor"),
                Column("value", Kind.FLOAT64, nullable=True, at="value", note="percent", on_mismatch="reject"),
                order_by=("sensor",),
                keep_days=30,
                each="values",
                one_of={"$.data.kind": ("a",)},
            ),
            typed_table(
                "states",
                Column("key", Kind.TEXT, at="key", on_mismatch="reject"),
                Column("sensor", Kind.LABEL, at="sensor", on_mismatch="reject"),
                Column(
                    "owner", Kind.TEXT, at="owner.address", otherwise="owner_address", reads=Address,
                    on_mismatch="reject",
                ),
                Column(
                    "subtype", Kind.LABEL, at="type", by_key={"cold": "freezing", "hot": "boiling"},
                    on_mismatch="reject",
                ),
                order_by=(),
            ),
        ),
    )  # fmt: skip
    assert [described(each) for each in found.event_types] == [described(expected)]
    assert found.ignore_rules == (IgnoreRule("bench", {"reading"}, where={"sensor": "bench"}),)


def described(event_type: EventType) -> dict[str, Any]:
    """All that somebody wrote: tables and columns compare by identity, or leave out where values come from."""
    fields = [field for field in attrs.fields(EventType) if field.init]
    found = {field.name: getattr(event_type, field.name) for field in fields}
    found["tables"] = [
        {**attrs.asdict(table, recurse=False), "columns": [attrs.asdict(column) for column in table.columns]}
        for table in event_type.tables
    ]
    return found


def test_the_event_types_of_lpa_can_be_written_and_read_again(tmp_path: Path) -> None:
    """Those that need no Python, under other names of tables: these are lpa's own."""
    found = [each for each in BUILTIN_EVENT_TYPES if each.shape is None]
    renamed = [
        attrs.evolve(each, tables=tuple(attrs.evolve(table, name=f"{table.name}_2") for table in each.tables))
        for each in found
    ]
    again = read(tmp_path, written(renamed, BUILTIN_IGNORE_RULES)).required()
    assert [described(each) for each in again.event_types] == [described(each) for each in renamed]
    assert again.ignore_rules == BUILTIN_IGNORE_RULES
    assert len(found) > 5


def test_jobs_as_a_file_make_the_rows_that_the_plugin_makes(tmp_path: Path) -> None:
    types = [*job_types()]
    from_file = read(tmp_path, written(types)).required().event_types
    assert [described(each) for each in from_file] == [described(each) for each in types]
    rows = []
    records = list(generate(900, duplicates=0, bad=0.1, sessions=4, jobs=0.6, seed=3))
    for event_types in (types, from_file):
        pipeline = Pipeline(event_types)
        verdicts = [pipeline.validate(record) for record in records]
        rows.append([[(t.name, row) for t, row in v.rows] for v in verdicts if isinstance(v, Accepted)])
    assert rows[0] == rows[1]
    assert len({name for event in rows[0] for name, _ in event}) == len(types)


FAULTS = """
[types.a]
requird = ["data.x"]
[types.a.tables.t.columns]
one = "float"
two = { kind = "int32", at = "x.y" }
three = { kind = "int32", at = "x" }
"four five" = "text"
org = "text"
six = { kind = "timestamp" }
seven = { kind = "text", otherwise = "a[].b.c", reads = "adress", nullable = 1 }
[types.b]
required = "x"
[types.b.tables."my table".columns]
x = "text"
[types.c]
[types.d.tables.streaming_events.columns]
x = "text"
[types.d2.tables.stream_stats.columns]
x = "text"
[types.e.tables.e]
order_by = ["y"]
keep_days = "long"
each = "z"
[types.e.tables.e.columns]
z = { kind = "text", at = "$.data.z" }
[types.f.envelope]
timestamp = "t"
time = "minutes"
[types.f.tables.f.columns]
x = "text"
[types.g.tables.g]
[types.h.tables.h]
order_by = ["y"]
[types.h.tables.h.columns]
x = "text"
[types.i.tables.i.columns]
p = { kind = "int32", at = "x.y" }
q = { kind = "int32", at = "x" }
r = { kind = "int64", at = "x.y" }
s = { kind = "text", at = "x[].y" }
[types.stream_trace.tables.traces.columns]
x = "text"
[ignore.Odd]
event_types = []
[nonsense]
"""


def test_all_faults_are_told_at_once_each_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    found = read(tmp_path, FAULTS, BUILTIN_EVENT_TYPES)
    told = [f"{fault.line}: {fault.text}" for fault in found.faults]
    expected = [
        "3: requird has no meaning here; did you mean required",
        "5: column one: kind is 'float', which is none; did you mean",
        "8: 'four five' cannot name a column: use letters, digits and underscores",
        "9: table t: lpa adds a column org itself: leave yours out or rename it",
        "10: column six: a time that may be missing is nullable, or is otherwise $.timestamp",
        "11: nullable is 1: it must be true or false",
        "11: column seven: reads is 'adress', which is none; did you mean address",
        "13: required 'x' is neither id, data, nor data. and a path in it",
        "14: 'my table' cannot name a table",
        "16: event type 'c' has no table: write [types.c.tables.NAME]",
        "17: table 'streaming_events' of 'd' has the name of one of lpa's own: rename it",
        "19: table 'stream_stats' is declared by 'stream_stats' and 'd2': rename one",
        "23: keep_days is 'long': it must be a whole number",
        "29: time is 'minutes', which is none; there are",
        "32: table g has no column",
        "33: table h is ordered by 'y', which is none of its columns: name those",
        "39: column q: x is a value, an object or an array, and another column takes it for another",
        "40: column r: y is read as something else by another column",
        "41: column s: x is a value, an object or an array",
        "42: event type 'stream_trace' is declared twice: rename one",
        "44: an ignore rule has the reason 'Odd'",
        "46: nonsense has no meaning here; there are ignore, types",
    ]
    unexplained = [line for line in told if not any(line.startswith(each) for each in expected)]
    missing = [each for each in expected if not any(line.startswith(each) for line in told)]
    assert (missing, unexplained) == ([], [])
    assert found.event_types == found.ignore_rules == ()
    assert all("\n" not in line for line in told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[types.a\n", "types.toml:1: cannot be read as TOML"),
        (b"x = 1\nx = 2\n", "types.toml:2: cannot be read as TOML"),
        (b"\xff\xfex\x00", "types.toml: cannot be read as TOML: it is UTF-16 text"),
        (b"# nothing\n", "types.toml: declares nothing: write [types.NAME]"),
        (b"types = 3\n", "types.toml:1: types is 3: it must be a table"),
        (b"[types]\na = 3\n", "types.toml:2: a is 3: it must be a table"),
        (b"a = " + b"[" * 5000, "types.toml"),
        (None, "types.toml: cannot be read: No such file or directory: check the path"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path, content: bytes | None, told: str) -> None:
    file = tmp_path / "types.toml"
    if content is not None:
        file.write_bytes(content)
    found = declared([file])
    assert str(found.faults[0]).removeprefix(f"{tmp_path}/").startswith(told)
    with pytest.raises(EventTypesError):
        found.required()


def test_two_files_may_not_declare_the_same(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text('[types.a.tables.t.columns]\nx = "text"\n')
    two.write_text('[types.a.tables.u.columns]\nx = "text"\n[types.b.tables.T.columns]\nx = "text"\n')
    found = declared([one, two])
    assert [str(fault).removeprefix(f"{tmp_path}/") for fault in found.faults] == [
        "two.toml:1: event type 'a' is declared twice: rename one",
        "two.toml:3: table 'T' is declared by 'a' and 'b': rename one",
    ]


def test_what_needs_python_cannot_be_written() -> None:
    shaped = next(each for each in BUILTIN_EVENT_TYPES if each.shape is not None)
    with pytest.raises(ValueError, match="has a shape or validators"):
        written([shaped])
