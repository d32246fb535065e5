"""Masking: nothing personal stays, nothing else changes, and events keep their identity."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.dedup.key import canonical_json
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.masking import OF_DROPPED, WITHHELD, Masking
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position

KEY = "a key of at least sixteen characters"
MASKING = Masking(["data.user.ip=hash", "data.user.city=drop", "data.who=drop", "top=hash"], KEY)
SECRET = "203.0.113.9"

texts = st.text(max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ip", "city", "user", "who", "top", "data", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
records = st.dictionaries(st.sampled_from(["id", "data", "top", "x"]), values, max_size=4)


def masked(document: Any, masking: Masking = MASKING) -> Any:
    return json.loads(masking.masked(json.dumps(document).encode()))


def expected(value: Any, *path: str) -> Any:
    """The document without what is at the paths, and with a mark for a hash, by the rules of docs/privacy.md."""
    if isinstance(value, list):
        return [expected(each, *path) for each in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, each in value.items():
        here = (*path, name)
        empty = each is None or each == ""
        if here in {("data", "user", "city"), ("data", "who")} and not empty:
            continue
        is_hashed = here in {("data", "user", "ip"), ("top",)} and not empty
        found[name] = "MASKED" if is_hashed else expected(each, *here)
    return found


def with_marks(value: Any) -> Any:
    if isinstance(value, list):
        return [with_marks(each) for each in value]
    if isinstance(value, dict):
        return {name: with_marks(each) for name, each in value.items() if name != OF_DROPPED}
    return "MASKED" if isinstance(value, str) and value.startswith("masked:") else value


@given(records)
def test_exactly_what_is_named_is_masked_and_twice_is_once(document: dict[str, Any]) -> None:
    text = json.dumps(document).encode()
    once = MASKING.masked(text)
    assert canonical_json(with_marks(json.loads(once))) == canonical_json(expected(document))
    assert MASKING.masked(once) == once
    assert (once == text) or document != json.loads(once)


@given(records, records)
def test_events_without_an_id_stay_as_different_as_they_were(one: dict[str, Any], other: dict[str, Any]) -> None:
    for document in (one, other):
        document.pop("id", None)
    assert (canonical_json(one) == canonical_json(other)) == (
        canonical_json(masked(one)) == canonical_json(masked(other))
    )


def test_what_is_not_masked_keeps_its_bytes() -> None:
    text = b'{ "n": 1.50, "big": 123456789012345678901234567890, "data": {"user": {"ip": "%s"}, "e": 1E400} }'
    found = MASKING.masked(text % SECRET.encode())
    assert SECRET.encode() not in found
    assert b"1.50" in found
    assert b"123456789012345678901234567890" in found
    assert b"1E400" in found
    untouched = b'{ "data" : {"ipx": "%s"} }' % SECRET.encode()
    assert MASKING.masked(untouched) is untouched


@pytest.mark.parametrize(
    "text",
    [
        '{"data":{"user":{"ip":"SECRET","ip":"SECRET"}}}',
        '{"data":{"user":{"ip":"SECRET","ip":""}}}',
        '{"data":{"user":{"\\u0069p":"SECRET","i\\u0070":null}}}',
        '{"data":{"user":{"ip":"SECRET"},"user":{"x":1}}}',
        '{"data":{"user":{"ip":"SECRET"}},"data":{}}',
        '{"top":"x","data":{"user":{"ip":"SECRET","ip":""}}}',
        '{"data":[{"who":"SECRET","who":""}]}',
        '{"data":{"user":{"\\u0069p":"SECRET"}}}',
        '{"data":{"user":{"ip":{"v4":["SECRET"]}}}}',
        '{"data":[{"user":[{"ip":"SECRET"}]},1]}',
        '[{"data":{"user":{"ip":"SECRET"}}}]',
        ' {"data":{"user":{"ip":"SECRET","n":1' + "0" * 5000 + "}}}",
        '{"data":{"user":{"city":"SECRET"}}}',
        '{"data":{"user":{"ip":"SECRET"',
        '{"data":{"user":{"ip":"SECRET\udcff"}}}',
        '"{\\"ip\\":\\"SECRET\\"}"',
    ],
)
def test_the_value_is_gone_however_it_is_written(text: str) -> None:
    record = text.replace("SECRET", SECRET).encode(errors="surrogateescape")
    found = MASKING.masked(record)
    assert SECRET.encode() not in found
    assert (found == WITHHELD) is (text.endswith('"SECRET"') or "\udcff" in text or text[0] == '"')


@pytest.mark.parametrize(
    "damage",
    [lambda text: text[:-1], lambda text: f"{text} x", lambda text: text.replace(":", ": NaN,", 1),
     lambda text: text.replace("{", '{"x":"\\ud800",', 1), lambda text: text.replace("{", '{"x":"\n",', 1),
     lambda text: text.replace("{", '{"x":' + "[" * 5000 + "]" * 5000 + ",", 1)],
)  # fmt: skip
def test_a_key_with_escapes_is_a_key_of_what_cannot_be_masked(damage: Callable[[str], str]) -> None:
    text = damage('{"data":{"user":{"\\u0069\\u0070":"SECRET"}}}')
    for encoding in ("utf-8", "utf-16", "utf-16-be"):
        assert MASKING.masked(text.replace("SECRET", SECRET).encode(encoding)) == WITHHELD


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-8-sig"])
def test_a_value_in_another_encoding_is_withheld(encoding: str) -> None:
    assert MASKING.masked(f'{{"data":{{"user":{{"ip":"{SECRET}"}}}}}}'.encode(encoding)) == WITHHELD
    unnamed = f'{{"data":{{"x":"{SECRET}"}}}}'.encode(encoding)
    assert MASKING.masked(unnamed) is unnamed


def test_one_value_has_one_hash_for_one_key() -> None:
    one = masked({"data": {"user": {"ip": SECRET}}, "top": SECRET})
    assert one["top"] == one["data"]["user"]["ip"]
    other = masked({"top": SECRET}, Masking(["top=hash"], "another key of sixteen"))
    assert other["top"] != one["top"]


def test_the_pipeline_judges_a_masked_record_as_the_one_that_was_received() -> None:
    """Identity, verdict and all columns but the masked one are the same."""
    masking = Masking(["data.clientIP=hash", "data.orchestrator_info.address=drop"], KEY)
    pipeline, plain = Pipeline(BUILTIN_EVENT_TYPES, masking=masking), Pipeline(BUILTIN_EVENT_TYPES)
    (of_payments,) = (each for each in BUILTIN_EVENT_TYPES if each.name == "create_new_payment")
    payment = dict.fromkeys((path.removeprefix("data.") for path in of_payments.required), "1")
    event = {"id": "a", "type": "create_new_payment", "timestamp": "1767900000000", "data": payment}
    event["data"] = {**payment, "clientIP": SECRET}
    at = Position("topic", 0, 0)
    whole = plain.process(json.dumps(event).encode(), at)
    found = pipeline.process(masking.masked(json.dumps(event).encode()), at)
    assert isinstance(whole, Accepted)
    assert isinstance(found, Accepted)
    assert found.dedup_key == whole.dedup_key == "a"
    (table, row), (_, plain_row) = found.rows[0], whole.rows[0]
    differing = [column.name for column, a, b in zip(table.columns[8:], row, plain_row, strict=True) if a != b]
    assert differing == ["client_ip"]
    assert SECRET not in str(row)


def test_a_record_that_cannot_be_masked_is_a_dead_letter_without_it() -> None:
    verdict = Pipeline(BUILTIN_EVENT_TYPES).process(MASKING.masked(b'{"data":{"ip":"203.0.1'), Position("topic", 0, 0))
    assert isinstance(verdict, Rejected)
    assert verdict.payload == WITHHELD
