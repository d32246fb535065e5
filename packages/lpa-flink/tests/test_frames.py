"""Frames: what Python makes of the bytes of flink-jobs, and the other way round."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.delivery.consumer_group import OutgoingRecord
from lpa_core.records import Position
from lpa_flink import frames

ROOT: Final = Path(__file__).parents[3]
GOLDEN: Final = {
    name: bytes.fromhex(content)
    for name, _, content in (
        line.partition(" ")
        for line in (ROOT / "flink-jobs/src/test/resources/frames.txt").read_text("utf-8").splitlines()
    )
}
"""What both ends make of the same records: FramesTest.java reads it, too."""

BODIES: Final = [
    frames.encode_body(1_700_000_000_000, '{"id":"é"}'.encode(), b"key", [("trace", b"\x01\x02"), ("empty", None)]),
    frames.encode_body(-1, None, None, []),
    frames.encode_body(0, b"\xff\xfe\x00", b"", []),
]


def test_records_of_any_kind_are_read() -> None:
    batch = frames.decode_batch(GOLDEN["batch"])
    assert (batch.records.topic, batch.records.partition) == ("events", 2)
    assert batch.records.offsets == [3, 4, 7]
    assert batch.records.values == ['{"id":"é"}'.encode(), None, b"\xff\xfe\x00"]
    assert batch.records.timestamps == [1_700_000_000_000, -1, 0]
    assert batch.bodies == BODIES


def test_judged_records_are_what_java_reads() -> None:
    batch = frames.decode_batch(GOLDEN["batch"])
    claims = ["a claim", "", "org\x1fa claim"]
    assert frames.encode_judged(batch, claims, 1_700_000_000_500, "0123456789abcdef") == GOLDEN["judged"]


def test_claims_of_stored_events_are_what_java_reads() -> None:
    assert frames.encode_claims("events", 2, ["one", "two"], [8, 9]) == GOLDEN["claims"]


def test_a_range_is_what_java_freezes() -> None:
    frozen = frames.decode_range(GOLDEN["range"])
    assert (frozen.repeated, frozen.batch_time, frozen.fingerprint) == (False, 1_700_000_000_500, "0123456789abcdef")
    assert frozen.previous_end == 2
    assert frozen.owners == [None, None, Position("another", 1, 5)]
    assert frozen.records == frames.decode_batch(GOLDEN["batch"]).records


def test_the_headers_of_a_range_are_there_if_they_are_asked_for() -> None:
    frozen = frames.decode_range(GOLDEN["range"], with_headers=True)
    assert frozen.records.headers == [[("trace", b"\x01\x02"), ("empty", None)], None, None]
    assert frames.decode_range(GOLDEN["range"]).records.headers is None


def test_a_repeated_range_is_marked() -> None:
    frame = bytearray(GOLDEN["range"])
    frame[1] = 1
    assert frames.decode_range(bytes(frame)).repeated


def test_outgoing_records_and_stops_are_what_java_reads() -> None:
    record = OutgoingRecord("rejects", b"the key", b"\xff\x00", [("reason", b"MISSING_FIELD")])
    assert frames.encode_record(record) == GOLDEN["outgoing"]
    assert frames.encode_stop("too many dead letters: look at the producer") == GOLDEN["stop"]


def test_only_the_value_of_a_record_is_replaced() -> None:
    batch = frames.decode_batch(GOLDEN["batch"])
    masked = type(batch.records)(
        "events", 2, [3, 4, 7], [b"{}", None, batch.records.values[2]], [1_700_000_000_000, -1, 0]
    )
    assert batch.with_values(masked).bodies == [
        frames.encode_body(1_700_000_000_000, b"{}", b"key", [("trace", b"\x01\x02"), ("empty", None)]),
        *BODIES[1:],
    ]


@pytest.mark.parametrize("name", ["batch", "range"])
def test_a_frame_of_another_format_is_refused(name: str) -> None:
    decode = {"batch": frames.decode_batch, "range": frames.decode_range}[name]
    with pytest.raises(frames.FrameError, match=r"format 9, and this version of lpa-flink reads format 1"):
        decode(b"\x09" + GOLDEN[name][1:])
    with pytest.raises(frames.FrameError, match=r"cannot be read"):
        decode(GOLDEN[name][:20])


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.binary(max_size=50),
    st.none() | st.binary(max_size=20),
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.none() | st.binary(max_size=5)), max_size=3
    ),
    st.none() | st.binary(max_size=50),
)
def test_values_of_any_record_come_out_as_they_went_in(
    time: int, value: bytes | None, key: bytes | None, headers: frames.Headers, other: bytes | None
) -> None:
    body = frames.encode_body(time, value, key, headers)
    frame = b"\x01" + b"\x00\x00\x00\x01t" + b"\x00" * 4 + b"\x00\x00\x00\x01" + b"\x00" * 8
    batch = frames.decode_batch(frame + len(body).to_bytes(4, "big") + body)
    assert (batch.records.values, batch.records.timestamps) == ([value], [time])
    replaced = batch.with_values(type(batch.records)("t", 0, [0], [other], [time]))
    assert replaced.bodies == [body if other is value else frames.encode_body(time, other, key, headers)]
