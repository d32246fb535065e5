"""Bytes that a broker lets through, read by the client's own library from the broker that it brings for tests."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from lpa_core.kafka import raw_headers
from lpa_core.kafka.raw_headers import headers_of
from lpa_core.testing.raw_records import RawRecord, send

RECORDS = [
    RawRecord(b"v", 1, b"k", [(b"caf\xe9", b"x"), (b"ok", None), (b"ok", b"")]),
    RawRecord(None, 2, b"\xff\xfe\x00", [("é".encode(), b"\xff\x00"), (b"", b"")]),
    RawRecord(b"\x00", 2**62),
    RawRecord(b"", -1, b"", [(b"\xff", None)]),
]
LONE = b"caf\xe9".decode(errors="surrogateescape")
HEADERS = [
    [(LONE, b"x"), ("ok", None), ("ok", b"")],
    [("é", b"\xff\x00"), ("", b"")],
    None,
    [("\udcff", None)],
]


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    (broker,) = producer.list_topics("in", 30).brokers.values()
    send(broker.host, broker.port, "in", RECORDS)
    yield broker.host, broker.port
    del producer


def read(address: tuple[str, int]) -> list[Message]:
    settings = {
        "bootstrap.servers": f"{address[0]}:{address[1]}",
        "group.id": uuid4().hex,
        "auto.offset.reset": "earliest",
        "log_level": 0,
    }
    consumer = Consumer(settings)
    consumer.assign([TopicPartition("in", 0, 0)])
    found: list[Message] = []
    until = time.monotonic() + 60
    while len(found) < len(RECORDS) and time.monotonic() < until:
        found += [message for message in consumer.consume(10, 1) if message.error() is None]
    consumer.close()
    return found


def test_failure_26_headers_come_as_the_bytes_that_were_sent(address: tuple[str, int]) -> None:
    messages = read(address)
    assert [headers_of(message) for message in messages] == HEADERS
    names = [[name.encode(errors="surrogateescape") for name, _ in headers or ()] for headers in HEADERS]
    assert names == [[name for name, _ in record.headers] for record in RECORDS]
    assert [(message.key(), message.value()) for message in messages] == [(r.key, r.value) for r in RECORDS]


@pytest.mark.parametrize(
    "changed",
    [
        ("_KNOWN_BYTES", 1),
        ("_KEY", raw_headers._TOPIC),
        ("_READ_HEADERS", raw_headers._TOPIC),
        ("_ERROR", raw_headers._TOPIC),
        ("_PARTITION", raw_headers._TOPIC),
        ("_OFFSET", raw_headers._TOPIC),
        ("_library", lambda: None),
    ],
    ids=lambda changed: changed[0],
)
@pytest.mark.parametrize("collections", [False, True], ids=["", "collector at work"])
def test_failure_26_a_client_of_another_layout_leaves_out_headers_and_nothing_else(
    changed: tuple[str, object], collections: bool, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_headers, *changed)
    messages = read(address)
    before = gc.get_threshold()
    if collections:
        gc.set_threshold(1)
    try:
        found = [headers_of(message) for message in messages]
    finally:
        gc.set_threshold(*before)
    assert found == [None, HEADERS[1], None, None]
    assert [message.value() for message in messages] == [record.value for record in RECORDS]
