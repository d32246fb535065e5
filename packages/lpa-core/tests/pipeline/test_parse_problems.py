"""A record that is not an event is told in words for who sent it."""

from __future__ import annotations

import base64
import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.records import Position

PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)
EVENT = (
    b'{"id":"g","type":"stream_trace","timestamp":1767900000000,"data":{"stream_id":"s","request_id":"r","type":"t"%s}}'
)
GOOD = EVENT % b""
HEADER = b"\x00\x00\x00\x00\x2a"


def details(value: bytes) -> tuple[str, str]:
    """The reason and its details."""
    verdict = PIPELINE.process(value, Position("topic", 0, 0))
    assert isinstance(verdict, Rejected)
    return verdict.failure.reason.value, verdict.failure.details


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            HEADER + GOOD,
            "begins with a Schema Registry header (magic byte 0, schema id 42, JSON after it): write plain",
        ),
        (HEADER + b"\x02\x10abc", "begins with a Schema Registry header (magic byte 0, schema id 42, Avro or Protobuf"),
        (HEADER + b"\x00\xff\xfe", "begins with a Schema Registry header (magic byte 0, schema id 42, "),
        (b"\x00" * 100, "is nothing but NUL bytes"),
        (GOOD + b"\x00\x00", "NUL bytes after the JSON"),
    ],
)
def test_failure_29_a_header_or_filling_that_is_not_json_is_named(value: bytes, said: str) -> None:
    reason, found = details(value)
    assert reason == "json_parse_error"
    assert said in found


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\udc00\ud83d", rb"\uD83D x"])
def test_failure_29_a_lone_surrogate_is_not_called_truncated(escape: bytes) -> None:
    _, found = details(EVENT % (b',"x":"' + escape + b'"'))
    assert "lone surrogate" in found
    assert "truncated" not in found


@pytest.mark.parametrize("cut", [1, 5, 50, len(GOOD) - 1])
def test_failure_29_a_record_that_is_cut_off_is_called_so(cut: int) -> None:
    assert "the record ends in the middle of its JSON" in details(GOOD[:cut])[1]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"\xef\xbb\xbf" + GOOD, "begins with a byte order mark"),
        (GOOD.decode().encode("utf-16"), "is UTF-16: write UTF-8"),
        (GOOD.decode().encode("utf-16-be"), "is UTF-16: write UTF-8"),
        (EVENT % b',"x":"\xe9"', "not UTF-8: invalid continuation byte 0xe9; write UTF-8"),
        (EVENT % b',"x":NaN', "NaN is not JSON: leave the field out, or write null"),
        (EVENT % b',"x":-Infinity', "-Infinity is not JSON"),
        (str({"id": "x"}).encode(), "single quotes"),
        (EVENT % b",", "a comma after the last value: JSON has none there"),
        (b'{"a": [1, 2, ]}', "a comma after the last value: JSON has none there"),
        (EVENT % b',"x":None', "None is not JSON: write null"),
        (EVENT % b',"x":True', "True is not JSON: write true"),
        (b"// an event\n" + GOOD, "a comment"),
        (b'{"a": "x\ny"}', "a control character (0x0a) in a text"),
        (GOOD + GOOD, "more than one JSON value in a record: send one event a record"),
        (GOOD + b"\n" + GOOD, "more than one JSON value in a record"),
        (b"<html>", "is HTML or XML, not JSON"),
    ],
)
def test_failure_29_a_text_that_is_almost_json_says_what_to_write(value: bytes, said: str) -> None:
    reason, found = details(value)
    assert reason == "json_parse_error"
    assert said in found


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (gzip.compress(GOOD, mtime=0), "is compressed with gzip: send the text, and let Kafka compress it"),
        (zlib.compress(GOOD), "is compressed with zlib"),
        (b"\x28\xb5\x2f\xfd" + GOOD, "is compressed with zstd"),
        (b"\x82SNAPPY\x00\x00", "is compressed with snappy"),
        (b"\x82\xa2id\xa1x\xa4type\xa1y", "it may be MessagePack: write plain JSON"),
        (b"\x0a\x03abc\x12\x04\xff\xfe\x00\x01", "it may be Protobuf: write plain JSON"),
        (b"\x08\x01\x12\x05hello", "it may be Protobuf: write plain JSON"),
        (b"\xa2bid\x01btype", "it may be CBOR: write plain JSON"),
        (b"Obj\x01\x04", "is an Avro file: write plain JSON"),
        (base64.b64encode(GOOD), "it may be base64 of JSON"),
    ],
)
def test_failure_29_a_record_of_another_format_is_named(value: bytes, said: str) -> None:
    reason, found = details(value)
    assert reason == "json_parse_error"
    assert said in found


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "the root is empty, not an object: the record has no text"),
        (b" \n", "the root is empty, not an object: the record has no text"),
        (
            b"[" + GOOD + b"," + GOOD + b"]",
            "the root is an array, not an object: it holds several events; send one",
        ),
        (b"[]", "the root is an array, not an object"),
        (
            json.dumps(GOOD.decode()).encode(),
            "the root is a string, not an object: it holds JSON that was encoded twice",
        ),
        (json.dumps(base64.b64encode(GOOD).decode()).encode(), "it may hold base64; send the object itself"),
    ],
)
def test_failure_29_json_that_is_no_object_says_what_it_may_hold(value: bytes, said: str) -> None:
    reason, found = details(value)
    assert reason == "root_not_object"
    assert said in found


@given(st.binary() | st.text().map(str.encode) | st.binary().map(lambda some: some + GOOD[:40]))
def test_failure_29_any_bytes_have_a_verdict_of_one_line(value: bytes) -> None:
    verdict = PIPELINE.process(value, Position("topic", 0, 0))
    assert isinstance(verdict, Rejected)
    assert verdict.failure.details
    assert verdict.failure.details.isprintable()
