"""The records of a world, and what has to become of them."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections import Counter
from typing import Final, final

import attrs

from lpa_core.delivery.consumer_group import Partition
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Block

PIPELINE: Final = Pipeline(BUILTIN_EVENT_TYPES)
REFUSED_GATEWAY: Final = "refused"
"""Events of this gateway are refused by the sink."""
UNSTORABLE: Final = b"unstorable"
"""Records that hold this are refused as rejects too, unless nothing of theirs is stored."""

Place = tuple[int, int]
"""Partition and offset."""


@final
@attrs.define
class Expected:
    events: dict[Place, int] = attrs.field(factory=dict)
    """Place -> rows in typed tables."""
    dead_letters: set[Place] = attrs.field(factory=set)
    duplicates: set[Place] = attrs.field(factory=set)
    reduced: set[Place] = attrs.field(factory=set)
    """Of the dead letters and duplicates."""
    gaps: set[Place] = attrs.field(factory=set)


def event(identity: str, gateway: str = "g", version: int | str = "1", pipeline: str = "") -> bytes:
    """A small event of that id; of another version it is not supported."""
    data = {
        "orchestrator_info": {"address": "0x1", "url": "https://o"},
        "pipeline_id": pipeline,
        "request_id": "r",
        "stream_id": "s",
        "timestamp": 1_767_900_000_000,
        "type": "gateway_receive_stream_request",
    }
    return json.dumps(
        {
            "id": identity,
            "type": "stream_trace",
            "timestamp": "1767900000000",
            "version": version,
            "gateway": gateway,
            "data": data,
        },
        separators=(",", ":"),
    ).encode()


def refused_rows(block: Block) -> dict[int, str]:
    """The rows of a block that the database cannot store, and why."""

    def holding(column: str, what: bytes) -> dict[int, str]:
        values = block.columns[block.table.column_names.index(column)]
        texts = (value.encode() if isinstance(value, str) else value for value in values)
        return {index: f"holds {what.decode()}" for index, text in enumerate(texts) if what in text}

    if block.table is RAW_TABLE:
        return holding("raw_json", b'"gateway":"%s"' % REFUSED_GATEWAY.encode())
    if block.table in (DLQ_TABLE, QUARANTINE_TABLE):
        # Text that is not JSON is base64 there.
        return holding("payload_body", UNSTORABLE) | holding("payload_body", b64encode(UNSTORABLE))
    return {}


def draw_records(draw: random.Random, count: int) -> list[bytes]:
    """Records of one partition: events, repeated ones, bad ones (some later repaired under one id), refused ones."""
    prefix = f"{draw.getrandbits(40):x}"
    records: list[bytes] = []
    to_mend: list[str] = []
    sent: list[bytes] = []
    for number in range(count):
        identity, kind = f"{prefix}-{number}", draw.random()
        if kind < 0.15 and sent:
            records.append(draw.choice(sent))
        elif kind < 0.25:
            records.append(event(identity, version=7))
            to_mend.append(identity)
        elif kind < 0.35 and to_mend:
            sent.append(event(to_mend.pop()))
            records.append(sent[-1])
        elif kind < 0.40:
            records.append(b"not json %d" % number)
        elif kind < 0.44:
            records.append(event(identity, gateway=REFUSED_GATEWAY))
        elif kind < 0.46:
            records.append(event(identity, gateway=REFUSED_GATEWAY, pipeline=UNSTORABLE.decode()))
        elif kind < 0.48:
            records.append(UNSTORABLE)
        elif kind < 0.54:
            sent.append(event(identity, pipeline=UNSTORABLE.decode()))
            records.append(sent[-1])
        else:
            sent.append(event(identity))
            records.append(sent[-1])
    return records


def with_gaps(draw: random.Random, records: list[bytes]) -> list[bytes | None]:
    """The records, and None if nobody is given one: ends of transactions, aborted records."""
    found: list[bytes | None] = []
    for record in records:
        found += [None] * draw.choice((0, 0, 0, 0, 0, 1, 1, 3))
        found.append(record)
    return [*found, *[None] * draw.choice((0, 0, 1, 8))]


def expected(log: dict[Partition, list[bytes | None]]) -> Expected:
    """What has to become of all the records; equal events are in one partition."""
    found, first = Expected(), Counter[str]()
    for partition, values in log.items():
        for offset, value in enumerate(values):
            if value is None:
                found.gaps.add((partition.number, offset))
                continue
            verdict = PIPELINE.process(value, Position(partition.topic, partition.number, offset))
            place = (partition.number, offset)
            if not isinstance(verdict, Accepted) or verdict.envelope.gateway == REFUSED_GATEWAY:
                found.dead_letters.add(place)
            elif first[verdict.dedup_key]:
                found.duplicates.add(place)
            else:
                first[verdict.dedup_key] += 1
                found.events[place] = len(verdict.rows)
            if place not in found.events and UNSTORABLE in value:
                found.reduced.add(place)
    return found
