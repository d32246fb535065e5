"""Documents without an envelope are events of the type whose mapping takes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.plugin import (
    Accepted,
    Column,
    EnvelopeMapping,
    EventType,
    Ignored,
    IgnoreRule,
    Kind,
    Pipeline,
    Position,
    Rejected,
    TimeFormat,
    typed_table,
)
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure, Reason

NOON = 1_767_873_600_000


def table(name: str) -> Any:
    return typed_table(
        name, Column("value", Kind.FLOAT64, at="value"), Column("who", Kind.TEXT, at="$.gateway"), order_by=()
    )


READING = EventType(
    "reading",
    tables=(table("readings"),),
    envelope=EnvelopeMapping(
        "at.when",
        TimeFormat.ISO8601,
        has=("value",),
        when={"kind": ("reading", "2")},
        id=("device.id", "n"),
        gateway="site",
    ),
)
NOTICE = EventType(
    "notice",
    tables=(table("notices"),),
    requires_object=True,
    envelope=EnvelopeMapping("time", TimeFormat.SECONDS, has=("specversion",), data="body.data"),
)
TYPES = (READING, NOTICE)


def _passes(document: Document) -> Failure | None:
    return None


FAST = Pipeline(TYPES)
THOROUGH = Pipeline(TYPES, plugin_validators=[_passes])
DOCUMENT = {
    "kind": "reading",
    "device": {"id": "d"},
    "n": 7,
    "at": {"when": "2026-01-08T12:00:00Z"},
    "value": 1.5,
    "site": "s",
}


def judged(document: Any, pipeline: Pipeline = FAST) -> Any:
    record = document if isinstance(document, bytes) else json.dumps(document).encode()
    return pipeline.validate(record)


def test_a_document_gets_an_envelope_and_is_kept_as_received() -> None:
    verdict = judged(DOCUMENT)
    assert isinstance(verdict, Accepted)
    assert (verdict.envelope.type, verdict.envelope.id, verdict.envelope.timestamp) == ("reading", "d|7", NOON)
    assert (verdict.dedup_key, verdict.dedup_strategy, verdict.envelope.gateway) == ("d|7", "event_id", "s")
    assert [row for _, row in verdict.rows] == [(1.5, "s")]
    assert verdict.raw == json.dumps(DOCUMENT).encode()


def test_data_may_be_a_part_of_the_document() -> None:
    verdict = judged({"specversion": "1.0", "type": "x", "time": "1767873600.25", "body": {"data": {"value": 2}}})
    assert isinstance(verdict, Accepted)
    assert (verdict.envelope.type, verdict.envelope.timestamp, verdict.dedup_strategy) == (
        "notice",
        NOON + 250,
        "payload_hash",
    )
    assert [row for _, row in verdict.rows] == [(2.0, "")]


@pytest.mark.parametrize(
    ("document", "reason", "details"),
    [
        (DOCUMENT | {"kind": "other"}, Reason.MISSING_TYPE, "type is missing or not a string"),
        ({"kind": "reading"}, Reason.MISSING_TYPE, "type is missing or not a string"),
        (DOCUMENT | {"at": {}}, Reason.MISSING_TIMESTAMP, "at.when, which has the time, is missing"),
        (
            DOCUMENT | {"at": {"when": "noon"}},
            Reason.MISSING_TIMESTAMP,
            "at.when, which has the time, is 'noon', not iso8601",
        ),
        ({"specversion": 1, "time": 1767873600}, Reason.MISSING_DATA, "body.data, which has the data, is missing"),
        (
            {"specversion": 1, "time": 1767873600, "body": {"data": 3}},
            Reason.INVALID_DATA_SHAPE,
            "data is a number, not an object",
        ),
        (
            {"specversion": 1, "time": 1, "body": {"data": {}}},
            Reason.IMPLAUSIBLE_TIMESTAMP,
            "timestamp 1000 is 1970-01-01",
        ),
    ],
)
def test_what_is_wrong_is_said_of_the_document_that_was_sent(document: Any, reason: Reason, details: str) -> None:
    for pipeline in (FAST, THOROUGH):
        verdict = judged(document, pipeline)
        assert isinstance(verdict, Rejected)
        assert verdict.failure.reason is reason
        assert verdict.failure.details.startswith(details)
        assert verdict.payload == json.dumps(document).encode()
    assert FAST.failures(json.dumps(document).encode())[0].details.startswith(details)


def test_a_record_with_an_envelope_is_no_bare_document() -> None:
    whole = {"type": "stranger", "timestamp": NOON, "data": {}, **DOCUMENT}
    verdict = judged(whole)
    assert isinstance(verdict, Rejected)
    assert verdict.failure.reason is Reason.UNSUPPORTED_EVENT_TYPE


def test_marks_of_a_replay_belong_to_the_envelope() -> None:
    marks = {"__replay": True, "__replay_id": "r", "__replay_attempt": 2}
    for document in (DOCUMENT, {key: value for key, value in DOCUMENT.items() if key != "n"}):
        plain = judged(document)
        for pipeline in (FAST, THOROUGH):
            replayed = judged(marks | document, pipeline)
            assert isinstance(replayed, Accepted)
            assert (replayed.envelope.replay, replayed.envelope.replay_id, replayed.envelope.replay_attempt) == (
                True,
                "r",
                2,
            )
            assert replayed.dedup_key == plain.dedup_key


def test_a_version_of_the_documents_own_is_none_of_an_envelope() -> None:
    assert isinstance(judged(DOCUMENT | {"version": "7.1"}), Accepted)
    assert isinstance(judged(DOCUMENT, Pipeline(TYPES, supported_versions=("3",))), Accepted)


def test_ignore_rules_see_the_envelope() -> None:
    rule = IgnoreRule("workbench", {"reading"}, where={"site": "s"})
    for pipeline in (
        Pipeline(TYPES, ignore_rules=[rule]),
        Pipeline(TYPES, ignore_rules=[rule], plugin_validators=[_passes]),
    ):
        verdict = judged(DOCUMENT, pipeline)
        assert isinstance(verdict, Ignored)
        assert (verdict.reason, verdict.raw) == ("workbench", json.dumps(DOCUMENT).encode())


def test_a_duplicate_is_described_by_its_envelope() -> None:
    regional = json.dumps(DOCUMENT | {"region": "eu"}).encode()
    verdict = FAST.validate(regional)
    assert isinstance(verdict, Accepted)
    described = FAST.describe(verdict, Position("t", 0, 1), Failure(*_DUPLICATE))
    assert (described.event_type, described.event_id, described.region) == ("reading", "d|7", "eu")


_DUPLICATE = (judged({}).failure.stage, judged({}).failure.failure_class, Reason.MISSING_FIELD)

SCALAR = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6)
TIME = (
    st.sampled_from(
        ["2026-01-08T12:00:00Z", "2026-01-08T12:00:00+05:30", "2026-01-08", 1767873600, "1767873600", 1.7e9]
    )
    | SCALAR
)
OBJECT = st.dictionaries(st.sampled_from(["value", "version", "x"]), SCALAR, max_size=3)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["reading", 2, "other"]),
        "specversion": SCALAR,
        "device": st.fixed_dictionaries({"id": SCALAR}) | SCALAR,
        "n": SCALAR,
        "at": st.fixed_dictionaries({"when": TIME}) | SCALAR,
        "time": TIME,
        "value": SCALAR,
        "site": SCALAR,
        "version": SCALAR,
        "type": st.sampled_from(["reading", "notice", "x"]) | SCALAR,
        "timestamp": TIME,
        "data": OBJECT | SCALAR,
        "body": st.fixed_dictionaries({"data": OBJECT | SCALAR}) | SCALAR,
        "__replay": st.booleans() | SCALAR,
        "__replay_id": SCALAR,
        "__replay_attempt": SCALAR,
        "__replay_record_ms": SCALAR,
    },
)


@given(DOCUMENTS)
def test_both_paths_give_equal_verdicts(document: dict[str, Any]) -> None:
    record = json.dumps(document).encode()
    fast, thorough = judged(record), judged(record, THOROUGH)
    assert type(fast) is type(thorough)
    if isinstance(fast, Accepted):
        assert (fast.envelope, fast.dedup_key, fast.dedup_strategy, fast.unfit, fast.raw) == (
            thorough.envelope, thorough.dedup_key, thorough.dedup_strategy, thorough.unfit, thorough.raw,
        )  # fmt: skip
        assert repr(fast.rows) == repr(thorough.rows)
    else:
        assert repr(fast) == repr(thorough)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1)))
def test_times_are_read_to_the_millisecond(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    whole = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert (
        TimeFormat.ISO8601.epoch_ms(aware.isoformat())
        == TimeFormat.ISO8601.epoch_ms(moment.isoformat())
        == whole // 1000
    )
    assert TimeFormat.MICROSECONDS.epoch_ms(whole) == whole // 1000
    assert TimeFormat.NANOSECONDS.epoch_ms(str(whole * 1000)) == whole // 1000
    assert TimeFormat.MILLISECONDS.epoch_ms(whole // 1000) == whole // 1000
    assert TimeFormat.SECONDS.epoch_ms(f"{whole // 1_000_000}.{whole % 1_000_000:06}") == whole // 1000


@pytest.mark.parametrize("value", [None, True, "", "noon", "nan", "1e400", 10**4000, float("inf"), [], {}, "1_000"])
@pytest.mark.parametrize("time", [*TimeFormat])
def test_what_is_no_time_is_none(time: TimeFormat, value: Any) -> None:
    assert time.epoch_ms(value) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"timestamp": ""}, "timestamp is empty"),
        ({"time": "seconds "}, "time is a str: it must be a TimeFormat"),
        ({"has": ()}, "neither has nor when"),
        ({"has": "kind"}, "has is a str"),
        ({"when": {"kind": "reading"}}, "when kind is a str"),
        ({"when": {"kind": []}}, "when kind is empty"),
        ({"id": ("a[].b",)}, "'a[].b' is not a path of objects"),
        ({"data": "$.data.x"}, "'$.data.x' is not a path of objects"),
        ({"gateway": "a..b"}, "'a..b' is not a path"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="envelope: ") as refused:
        EnvelopeMapping(**{"timestamp": "t", "has": ("kind",), **arguments})
    assert message in str(refused.value)
