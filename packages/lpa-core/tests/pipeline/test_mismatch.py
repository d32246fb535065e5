"""Columns that rather lose an event than a value, and the honest count of what the others lose."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.events.model import Address
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted, Verdict
from lpa_core.records import Position
from lpa_core.tables.table import Column, Kind
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure, Reason, schema_invalid

TIME = 1_767_900_000_000


def pipeline(on_mismatch: Literal["coerce", "reject"], **more: Any) -> Pipeline:
    columns = (
        Column("amount", Kind.FLOAT64, at="amount", on_mismatch=on_mismatch),
        Column("fps", Kind.UINT16, nullable=True, at="status.fps", on_mismatch=on_mismatch),
        Column("jitter", Kind.FLOAT32, at="tracks[type=video].jitter", on_mismatch=on_mismatch),
        Column("began", Kind.TIMESTAMP, nullable=True, at="began", otherwise="start", on_mismatch=on_mismatch),
        Column("wallet", Kind.TEXT, at="wallet", reads=Address, on_mismatch=on_mismatch),
        Column("note", Kind.TEXT, at="note"),
    )
    return Pipeline([EventType("own", tables=(typed_table("own", *columns, order_by=()),), **more)])


def record(data: object, **envelope: Any) -> bytes:
    return json.dumps({"id": "e", "type": "own", "timestamp": TIME, "data": data} | envelope).encode()


def verdict(pipeline: Pipeline, data: object) -> Verdict:
    return pipeline.process(record(data), Position("t", 0, 0))


GOOD: list[object] = [
    {"amount": 1.5, "status": {"fps": 24}, "tracks": [{"type": "video", "jitter": 1}], "began": TIME, "wallet": "0x"},
    {"amount": "1.5", "status": {"fps": "24"}, "tracks": [{"type": "video", "jitter": "1"}], "start": str(TIME)},
    {"amount": None, "status": None, "tracks": None, "began": None, "wallet": None},
    {"amount": "", "status": {"fps": " "}, "tracks": [], "began": "", "wallet": 7},
    {},
]
BAD: list[tuple[object, str]] = [
    ({"amount": "abc"}, "data.amount is 'abc': expected what column amount of kind FLOAT64 holds"),
    ({"amount": True}, "data.amount is True: "),
    ({"amount": [1]}, "data.amount is [1]: "),
    ({"status": {"fps": -1}}, "data.status.fps is -1: expected what column fps of kind UINT16 holds"),
    ({"status": {"fps": "1.5"}}, "data.status.fps is '1.5': "),
    ({"status": "on"}, "data.status is 'on': expected an object"),
    ({"status": [{"fps": 1}]}, "data.status is [{'fps': 1}]: expected an object"),
    ({"tracks": {"type": "video"}}, "data.tracks is {'type': 'video'}: expected an array"),
    ({"tracks": [{"type": "video", "jitter": "x"}]}, "data.tracks[type=video].jitter is 'x': "),
    ({"began": "yesterday"}, "data.began is 'yesterday': "),
    ({"began": 1e300}, "data.began is 1e+300: "),
    ({"start": {}}, "data.start is {}: "),
    ({"wallet": ["0x"]}, "data.wallet is ['0x']: "),
    ("text", "data is 'text': expected an object"),
    ([{"amount": 1}], "data is [{'amount': 1}]: expected an object"),
]


@pytest.mark.parametrize("data", GOOD)
def test_failure_30_what_a_column_can_hold_is_accepted_and_does_not_count(data: object) -> None:
    strict, lenient = verdict(pipeline("reject"), data), verdict(pipeline("coerce"), data)
    assert isinstance(strict, Accepted)
    assert isinstance(lenient, Accepted)
    assert repr([row for _, row in strict.rows]) == repr([row for _, row in lenient.rows])
    assert (strict.unfit, lenient.unfit) == (0, 0)


@pytest.mark.parametrize(("data", "details"), BAD)
def test_failure_30_what_a_column_cannot_hold_is_a_dead_letter_or_counts(data: object, details: str) -> None:
    strict, lenient = verdict(pipeline("reject"), data), verdict(pipeline("coerce"), data)
    assert isinstance(strict, Rejected)
    assert strict.failure.reason is Reason.VALUE_MISMATCH
    assert strict.failure.details.startswith(details)
    assert isinstance(lenient, Accepted)
    assert lenient.unfit == 1


def test_failure_30_a_column_that_coerces_is_not_judged_by_one_that_rejects() -> None:
    found = verdict(pipeline("reject"), {"amount": 1, "note": {"a": 1}})
    assert isinstance(found, Accepted)
    assert found.unfit == 1


@pytest.mark.parametrize(
    ("data", "details"),
    [
        ([{"amount": 1}, {"amount": "x"}], "data[].amount is 'x': "),
        ([{"amount": 1}, 7], "data[] is 7: expected an object"),
    ],
)
def test_failure_30_each_item_is_judged(data: object, details: str) -> None:
    judging = pipeline("reject", requires_items=True)
    found = verdict(judging, data)
    assert isinstance(found, Rejected)
    assert found.failure.details.startswith(details)
    assert isinstance(verdict(judging, [{"amount": 1}]), Accepted)


def no_a(document: Document) -> Failure | None:
    return schema_invalid(Reason.PLUGIN_VALIDATOR, "an a") if document.text("data.note") == "a" else None


WORDS = {
    Reason.VALUE_MISMATCH: "mismatch",
    Reason.IMPLAUSIBLE_TIMESTAMP: "timestamp",
    Reason.MISSING_TIMESTAMP: "timestamp",
    Reason.UNSUPPORTED_VERSION: "version",
    Reason.ROOT_NOT_OBJECT: "root",
    Reason.MISSING_TYPE: "type",
    Reason.MISSING_DATA: "data",
    Reason.UNSUPPORTED_EVENT_TYPE: "event type",
    Reason.JSON_PARSE_ERROR: "json",
    Reason.NULL_PAYLOAD: "null",
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (record({"amount": 1}), []),
        (record({"amount": "x", "began": "y", "status": {"fps": 70000}, "note": "a"}), ["mismatch"] * 3),
        (record({"amount": "x"}, timestamp=5, version="9"), ["timestamp", "version", "mismatch"]),
        (b'{"type": "own", "data": {}}', ["timestamp", "field id", "field data.more"]),
        (b"[]", ["root"]),
        (b'{"type": 5}', ["type", "timestamp", "data", "event type"]),
        (b"{", ["json"]),
        (b" ", ["root"]),
        (None, ["null"]),
    ],
)
def test_failures_are_all_that_is_wrong_and_the_first_is_that_of_the_verdict(
    value: bytes | None, expected: list[str]
) -> None:
    judging = pipeline("reject", required=("id", "data.more") if "field id" in expected else ())
    found = judging.failures(value)
    assert sorted(WORDS.get(each.reason, f"field {each.details}") for each in found) == sorted(expected)
    judged = judging.validate(value)
    assert (judged.failure if isinstance(judged, Rejected) else None) == (found[0] if found else None)


def test_failures_have_those_of_plugins_as_classifiers_have_them() -> None:
    (event_type,) = pipeline("reject", validators=(no_a,)).event_types.values()

    def classify(failure: Failure, payload: bytes | None) -> Failure:
        return schema_invalid(failure.reason, f"classified: {failure.details}")

    found = Pipeline([event_type], classifiers=[classify]).failures(record({"amount": "x", "note": "a"}))
    assert [each.reason for each in found] == [Reason.PLUGIN_VALIDATOR, Reason.VALUE_MISMATCH]
    assert all(each.details.startswith("classified: ") for each in found)


@pytest.mark.parametrize("amount", [2, "2"])
def test_what_data_was_decoded_into_is_on_the_verdict(amount: object) -> None:
    found = pipeline("coerce").validate(record({"amount": amount, "status": {"fps": 24}, "more": 1}))
    assert isinstance(found, Accepted)
    assert (found.data.amount, found.data.status.fps, found.data.note) == (2.0, 24, "")
