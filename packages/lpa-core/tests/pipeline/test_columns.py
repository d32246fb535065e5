"""Event types of which the columns say all: the model, both paths and the rows are made of them."""

from __future__ import annotations

import itertools
import json
from typing import Any

import attrs
import pytest

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address, DigitsOrUInt32, EventData, NearTimestamp, NullableText, PastTimestamp, Text
from lpa_core.events.times import DiscardedTime
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted, Verdict
from lpa_core.records import Position
from lpa_core.tables.table import Column, Kind
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure, Reason, schema_invalid

TIME = 1_767_900_000_000
MINUTE = 60_000


def passes(document: Document) -> Failure | None:
    return None


class Both:
    """An event type in two pipelines; in the second a validator sends every record the thorough way."""

    def __init__(self, *columns: Column, required: tuple[str, ...] = (), **more: Any) -> None:
        self.table = typed_table("own", *columns, order_by=())
        event_type = EventType("own", required=required, tables=(self.table,), **more)
        self.fast = Pipeline([event_type])
        self.thorough = Pipeline([event_type], plugin_validators=[passes])

    def verdict(self, data: str, **envelope: Any) -> Verdict:
        """What both paths say of it."""
        record = json.dumps({"id": "e", "type": "own", "timestamp": TIME, "data": 0} | envelope)
        value = record.replace('"data": 0', f'"data": {data}').encode()
        fast, thorough = (each.process(value, Position("t", 0, 0)) for each in (self.fast, self.thorough))
        if not isinstance(fast, Accepted) or not isinstance(thorough, Accepted):
            assert fast == thorough
        else:
            assert (repr(fast.rows), fast.discarded) == (repr(thorough.rows), thorough.discarded)
        return fast

    def rows(self, data: str, **envelope: Any) -> list[tuple[Any, ...]]:
        verdict = self.verdict(data, **envelope)
        assert isinstance(verdict, Accepted), verdict
        assert {table for table, _ in verdict.rows} <= {self.table}
        return [row for _, row in verdict.rows]


def is_fast(both: Both, data: str) -> bool:
    record = b'{"id":"e","type":"own","timestamp":%d,"data":%s}' % (TIME, data.encode())
    try:
        both.fast._fast(record, TIME)
    except Exception:
        return False
    return True


def test_a_value_comes_from_where_its_column_says() -> None:
    own = Both(
        Column("state", Kind.LABEL, at="state"),
        Column("fps", Kind.FLOAT32, at="inference.fps"),
        Column("width", Kind.UINT16, at="inference.params.width"),
        Column("gateway", Kind.TEXT, at="$.gateway"),
        Column("event", Kind.TEXT, at="$.id"),
    )
    data = '{"state": "on", "inference": {"fps": 24.5, "params": {"width": 512, "height": 1}}, "more": {}}'
    assert own.rows(data, gateway="g") == [("on", 24.5, 512, "g", "e")]
    assert is_fast(own, data)


@pytest.mark.parametrize("inference", ["null", "{}", '{"params": null}', "[]", "7", '"text"'])
def test_what_is_not_there_is_empty(inference: str) -> None:
    own = Both(
        Column("fps", Kind.FLOAT32, at="inference.fps"),
        Column("width", Kind.UINT16, nullable=True, at="inference.params.width"),
        Column("prompt", Kind.TEXT, nullable=True, at="inference.params.prompt"),
        Column("hash", Kind.TEXT, at="inference.params.hash"),
    )
    assert own.rows(f'{{"inference": {inference}}}') == own.rows("{}") == [(0.0, None, None, "")]


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ('[{"type": "audio", "jitter": 1}, {"type": "video", "jitter": 2}]', (2.0, 1.0, "")),
        ('[{"type": "video", "jitter": 1, "codec": {"name": "av1"}}]', (1.0, 0.0, "av1")),
        ('[{"type": "video", "jitter": 1}, {"type": "video", "jitter": 2}]', (2.0, 0.0, "")),
        ('[{"type": "video", "jitter": "3"}, {"type": 5}, 7, null]', (3.0, 0.0, "")),
        ("[]", (0.0, 0.0, "")),
        ("null", (0.0, 0.0, "")),
        ("{}", (0.0, 0.0, "")),
    ],
)
def test_an_item_is_chosen_by_one_of_its_attributes_and_the_last_one_counts(
    tracks: str, expected: tuple[Any, ...]
) -> None:
    own = Both(
        Column("video_jitter", Kind.FLOAT32, at="stats.tracks[type=video].jitter"),
        Column("audio_jitter", Kind.FLOAT32, at="stats.tracks[type=audio].jitter"),
        Column("codec", Kind.LABEL, at="stats.tracks[type=video].codec.name"),
    )
    assert own.rows(f'{{"stats": {{"tracks": {tracks}}}}}') == [expected]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"sender": "a", "sender_address": "b", "cost": 1, "price": 2}', ("a", 1.0)),
        ('{"sender": "", "sender_address": "b", "cost": 0, "price": 2}', ("b", 0.0)),
        ('{"sender_address": "b", "price": 2}', ("b", 2.0)),
        ('{"sender": null, "cost": null}', ("", None)),
    ],
)
def test_another_path_stands_in_where_the_first_has_nothing(data: str, expected: tuple[Any, ...]) -> None:
    own = Both(
        Column("sender", Kind.TEXT, at="sender", otherwise="sender_address"),
        Column("cost", Kind.FLOAT64, nullable=True, at="cost", otherwise="price"),
    )
    assert own.rows(data) == [expected]


def test_each_item_of_the_data_is_a_row() -> None:
    own = Both(
        Column("address", Kind.TEXT, at="address", reads=Address),
        Column("latency", Kind.UINT32, at="latency_ms", reads=DigitsOrUInt32),
        Column("gateway", Kind.TEXT, at="$.gateway"),
        required=("data",),
        requires_items=True,
    )
    data = '[{"address": " 0xAB ", "latency_ms": "12", "version": "9"}, {"latency_ms": 3}]'
    assert own.rows(data, gateway="g") == [("0xab", 12, "g"), ("", 3, "g")]
    assert is_fast(own, data)
    empty = own.verdict("[]")
    assert isinstance(empty, Rejected)
    assert empty.failure.reason is Reason.EMPTY_ARRAY


def test_times_that_are_not_believed_are_left_out_and_noted() -> None:
    own = Both(
        Column("seen", Kind.TIMESTAMP, at="seen", otherwise="$.timestamp", reads=NearTimestamp),
        Column("began", Kind.TIMESTAMP, nullable=True, at="state.began", reads=PastTimestamp),
    )
    assert own.rows(f'{{"seen": {TIME - MINUTE}, "state": {{"began": {TIME - 60 * MINUTE}}}}}') == [
        (TIME - MINUTE, TIME - 60 * MINUTE)
    ]
    verdict = own.verdict(f'{{"seen": {TIME // 1000}, "state": {{"began": 5}}}}')
    assert isinstance(verdict, Accepted)
    assert [row for _, row in verdict.rows] == [(TIME, None)]
    assert verdict.discarded == (DiscardedTime.SECONDS, DiscardedTime.OTHER)


@pytest.mark.parametrize("missing", ['{"n": 1}', '{"text": null, "n": 1}', '{"text": "", "n": 1}', '{"text": "a"}'])
def test_a_required_path_that_is_missing_or_empty_rejects_the_event(missing: str) -> None:
    own = Both(Column("text", Kind.TEXT, at="text"), required=("data.text", "data.n"))
    assert own.rows('{"text": "a", "n": 1}') == [("a",)]
    verdict = own.verdict(missing)
    assert isinstance(verdict, Rejected)
    assert verdict.failure.reason is Reason.MISSING_FIELD


def test_an_object_can_be_required() -> None:
    own = Both(Column("fps", Kind.FLOAT32, at="status.fps"), required=("data.status", "data.status.id"))
    assert own.rows('{"status": {"id": "a", "fps": 2}}') == [(2.0,)]
    for missing in ("{}", '{"status": null}', '{"status": {"fps": 2}}'):
        assert isinstance(own.verdict(missing), Rejected)


def test_a_version_of_the_data_is_judged() -> None:
    own = Both(Column("text", Kind.TEXT, at="text"), Column("version", Kind.LABEL, at="$.version"))
    assert own.rows('{"text": "a"}') == [("a", "1")]
    assert own.rows('{"text": "a", "version": "v1"}') == [("a", "v1")]
    assert isinstance(own.verdict('{"text": "a", "version": "2"}'), Rejected)


def test_names_that_python_would_not_take_are_read() -> None:
    names = ("class", "content-type", "first name", "_private", "é", "None")
    own = Both(*(Column(f"c{index}", Kind.TEXT, at=name) for index, name in enumerate(names)), required=("data.class",))
    assert own.rows(json.dumps(dict(zip(names, names, strict=True)))) == [names]


_VALUES = (
    *('""', '" "', '"a"', '"7"', '" 7 "', '"-7"', '"1.5"', '"1_0"', '"1e3"', '"1e999"', '"nan"', '"true"', r'"\u0000"'),
    *("0", "-0", "-0.0", "1", "-1", "1.5", "1e2", "1e39", "1e400", "true", "false", "null", "[]", "{}", '["a"]'),
    *(str(bound + off) for bits in (8, 16, 31, 32, 63, 64, 70) for bound in (2**bits, -(2**bits)) for off in (-1, 0)),
    *(str(TIME), f'"{TIME}"', "10413791999999", "10413792000000", "-2208988800000", "-2208988800001", "9" * 400),
)
_WHOLE = {
    Kind.INT32: (-(2**31), 2**31 - 1),
    Kind.INT64: (-(2**63), 2**63 - 1),
    Kind.UINT8: (0, 2**8 - 1),
    Kind.UINT16: (0, 2**16 - 1),
    Kind.UINT32: (0, 2**32 - 1),
    Kind.UINT64: (0, 2**64 - 1),
    Kind.TIMESTAMP: (-2_208_988_800_000, 10_413_791_999_999),
}


@pytest.mark.parametrize(("kind", "nullable"), list(itertools.product(Kind, (False, True))))
def test_any_value_gives_what_the_column_can_hold_and_the_same_on_both_paths(kind: Kind, nullable: bool) -> None:
    otherwise = "$.timestamp" if kind is Kind.TIMESTAMP and not nullable else None
    own = Both(Column("value", kind, nullable=nullable, at="value", otherwise=otherwise))
    for value in _VALUES:
        ((stored,),) = own.rows(f'{{"value": {value}}}')
        if stored is None:
            assert nullable, value
        elif kind in (Kind.TEXT, Kind.LABEL):
            assert type(stored) is str, value
            assert stored or not nullable
        elif kind in (Kind.FLOAT32, Kind.FLOAT64):
            assert type(stored) is float, value
            assert abs(stored) <= (3.4028234663852886e38 if kind is Kind.FLOAT32 else 1.8e308), value
        else:
            least, most = _WHOLE[kind]
            assert type(stored) is int, value
            assert least <= stored <= most, value


@pytest.mark.parametrize(
    ("kind", "value", "stored", "nullable_stored"),
    [
        (Kind.UINT8, "true", 1, 1),
        (Kind.UINT8, "false", 0, 0),
        (Kind.UINT8, "256", 0, None),
        (Kind.UINT16, '"7"', 7, 7),
        (Kind.UINT32, "-1", 0, None),
        (Kind.INT32, "-5", -5, -5),
        (Kind.INT64, '"x"', 0, None),
        (Kind.FLOAT64, '"2.5"', 2.5, 2.5),
        (Kind.FLOAT32, "1e39", 0.0, None),
        (Kind.FLOAT64, '"x"', 0.0, None),
        (Kind.TEXT, "true", "true", "true"),
    ],
)
def test_what_does_not_fit_is_zero_or_null(kind: Kind, value: str, stored: Any, nullable_stored: Any) -> None:
    own = Both(Column("plain", kind, at="value.a"), Column("maybe", kind, nullable=True, at="value.b"))
    assert own.rows(f'{{"value": {{"a": {value}, "b": {value}}}}}') == [(stored, nullable_stored)]


@attrs.frozen(slots=True)
class Model(EventData):
    text: Text = ""


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ([Column("a", Kind.TEXT)], "column a: says no path"),
        ([Column("a", Kind.TEXT, at="b..c")], r"column a: 'b\.\.c' is not a path"),
        ([Column("a", Kind.TEXT, at="$.data")], r"column a: '\$\.data': an envelope has"),
        ([Column("a", Kind.TIMESTAMP, at="b")], "column a: a time that may be missing is nullable"),
        ([Column("a", Kind.TEXT, at="b"), Column("c", Kind.TEXT, at="b.c")], "column c: b is a value, an object"),
        ([Column("a", Kind.TEXT, at="b.c"), Column("c", Kind.TEXT, at="b")], "column c: b is a value, an object"),
        (
            [Column("a", Kind.TEXT, at="b.c"), Column("c", Kind.TEXT, at="b[x=y].c")],
            "column c: b is a value, an object",
        ),
        (
            [Column("a", Kind.TEXT, at="b"), Column("c", Kind.UINT8, at="b")],
            "column c: b is read as something else by another column: give both the same",
        ),
        (
            [Column("a", Kind.TEXT, at="b"), Column("c", Kind.TEXT, nullable=True, at="b", reads=NullableText)],
            "column c: b is read as something else",
        ),
        ([Column("a", Kind.LABEL, at="version")], r"read it at \$\.version"),
        ([], "has no table: declare one with typed_table"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_when_it_is_made(columns: list[Column], problem: str) -> None:
    tables = (typed_table("own", *columns, order_by=()),) if columns else ()
    with pytest.raises(ValueError, match=f"event type 'own': {problem}|event type 'own': .*{problem}"):
        EventType("own", tables=tables)


def test_a_model_takes_a_shape() -> None:
    with pytest.raises(ValueError, match="has a model and no shape"):
        EventType("own", Model, tables=(typed_table("own", Column("text", Kind.TEXT, at="text"), order_by=()),))


def no_a(document: Document) -> Failure | None:
    """A validator for one type only, by the name of the type and by what it declares."""
    assert document.text("type") == "own"
    assert document.event_type is not None
    assert document.event_type.name == "own"
    return schema_invalid(Reason.PLUGIN_VALIDATOR, "an a") if document.text("data.text") == "a" else None


def test_a_validator_of_an_event_type_is_asked_about_its_events_and_leaves_others_on_the_fast_path() -> None:
    text = Column("text", Kind.TEXT, at="text")
    own = EventType("own", tables=(typed_table("own", text, order_by=()),), validators=(no_a,))
    other = EventType("other", tables=(typed_table("other", text, order_by=()),))
    pipeline = Pipeline([own, other])

    def verdict(name: str, text: str) -> Verdict:
        record = json.dumps({"id": "e", "type": name, "timestamp": TIME, "data": {"text": text}}).encode()
        return pipeline.process(record, Position("t", 0, 0))

    rejected = verdict("own", "a")
    assert isinstance(rejected, Rejected)
    assert (rejected.failure.reason, rejected.failure.details) == (Reason.PLUGIN_VALIDATOR, "an a")
    assert [isinstance(verdict(*each), Accepted) for each in (("own", "b"), ("other", "a"))] == [True, True]
    record = b'{"id":"e","type":"other","timestamp":%d,"data":{"text":"a"}}' % TIME
    assert isinstance(pipeline._fast(record, TIME), Accepted)
