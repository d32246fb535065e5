"""How records travel as bytes between the operators in Java and the functions in Python.

Big-endian. A text or a value is its length as an int, then its bytes; the length -1 stands for null. Each frame begins
with a version byte. ``Frames.java`` in ``flink-jobs`` is the other end.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct, error
from typing import Final, final

import attrs

from lpa_core.delivery.consumer_group import OutgoingRecord
from lpa_core.errors import ConfigurationError
from lpa_core.records import Position, RecordBatch

VERSION: Final = 1
"""Of all frames. Ranges lie in savepoints: a later version has to read this one, or to refuse it by its number."""

_PASSED_ON: Final = 0
_STOP: Final = 1
"""Behind the version of what Python sends, but for the range: the kind of the frame."""

_INT: Final = Struct(">i")
_LONG: Final = Struct(">q")
_TWO_INTS: Final = Struct(">ii")
_TIME_AND_SIZE: Final = Struct(">qi")
_OFFSET_AND_SIZE: Final = Struct(">qi")
_NULL: Final = _INT.pack(-1)

Headers = Sequence[tuple[str, bytes | None]]


class FrameError(ConfigurationError):
    """A frame is not what this version makes: the jar is of another version than the package. One line."""


@final
@attrs.frozen(slots=True)
class ReadBatch:
    """Records as they were read. ``bodies`` are their times, values, keys and headers, as they travel."""

    records: RecordBatch
    bodies: Sequence[bytes]

    def with_values(self, records: RecordBatch) -> ReadBatch:
        """The same with other values, such as masked ones."""
        if records is self.records:
            return self
        bodies = [
            body if value is before else _with_value(body, before, value)
            for body, before, value in zip(self.bodies, self.records.values, records.values, strict=True)
        ]
        return ReadBatch(records, bodies)


@final
@attrs.frozen(slots=True)
class FrozenRange:
    """A range that a completed checkpoint holds.

    Attributes:
        repeated: it was sent before: some of it may be written.
        batch_time: epoch ms, of all its rows.
        fingerprint: of the rules by which its records were judged when they claimed.
        previous_end: where the range before ended, exclusive; None if there is none.
        owners: for each record the other position that owns its claim, or None.
    """

    repeated: bool
    batch_time: int
    fingerprint: str
    previous_end: int | None
    records: RecordBatch
    owners: Sequence[Position | None]


def decode_batch(frame: bytes) -> ReadBatch:
    """The records of a frame that Batching.java sent. Raises FrameError."""
    try:
        _require_version(frame)
        topic, at = _text(frame, 1)
        partition, count = _TWO_INTS.unpack_from(frame, at)
        at += 8
        offsets, bodies = [], []
        for _ in range(count):
            offset, size = _OFFSET_AND_SIZE.unpack_from(frame, at)
            at += 12
            offsets.append(offset)
            bodies.append(frame[at : at + size])
            at += size
        return ReadBatch(_records(topic, partition, offsets, bodies), bodies)
    except (error, IndexError, UnicodeDecodeError) as problem:
        raise _damaged("a batch", problem) from None


def encode_judged(batch: ReadBatch, claims: Sequence[str], judged_at: int, fingerprint: str) -> bytes:
    """The frame that Unpacking.java reads. ``claims`` are empty for what is not an event; time in epoch ms."""
    records = batch.records
    parts = [bytes([VERSION, _PASSED_ON]), _LONG.pack(judged_at), _of_text(fingerprint), _of_text(records.topic)]
    parts.append(_TWO_INTS.pack(records.partition, len(records)))
    for offset, claim, body in zip(records.offsets, claims, batch.bodies, strict=True):
        claimed = claim.encode()
        parts += (_OFFSET_AND_SIZE.pack(offset, len(claimed)), claimed, _INT.pack(len(body)), body)
    return b"".join(parts)


def encode_claims(topic: str, partition: int, claims: Sequence[str], offsets: Sequence[int]) -> bytes:
    """The frame of claims that a sink's rows made, for Unpacking.java: judged records without a body."""
    parts = [bytes([VERSION, _PASSED_ON]), _LONG.pack(0), _of_text(""), _of_text(topic)]
    parts.append(_TWO_INTS.pack(partition, len(claims)))
    for claim, offset in zip(claims, offsets, strict=True):
        claimed = claim.encode()
        parts += (_OFFSET_AND_SIZE.pack(offset, len(claimed)), claimed, _NULL)
    return b"".join(parts)


def decode_range(frame: bytes, *, with_headers: bool = False) -> FrozenRange:
    """The range that Gate.java sent; the headers of its records only if they are asked for. Raises FrameError."""
    try:
        _require_version(frame)
        repeated = frame[1] == 1
        (batch_time,) = _LONG.unpack_from(frame, 2)
        fingerprint, at = _text(frame, 10)
        topic, at = _text(frame, at)
        (partition,) = _INT.unpack_from(frame, at)
        (previous_end,) = _LONG.unpack_from(frame, at + 4)
        (count,) = _INT.unpack_from(frame, at + 12)
        at += 16
        offsets, owners, bodies = [], [], []
        for _ in range(count):
            offset, size = _OFFSET_AND_SIZE.unpack_from(frame, at)
            at += 12
            owner = _position(frame[at : at + size].decode()) if size else None
            at += size
            (size,) = _INT.unpack_from(frame, at)
            at += 4
            offsets.append(offset)
            owners.append(owner)
            bodies.append(frame[at : at + size])
            at += size
        records = _records(topic, partition, offsets, bodies)
        if with_headers:
            records = attrs.evolve(records, headers=[*map(_headers, bodies)])
    except (error, IndexError, ValueError) as problem:
        raise _damaged("a range", problem) from None
    return FrozenRange(
        repeated,
        batch_time,
        fingerprint,
        None if previous_end < 0 else previous_end,
        records,
        owners,
    )


def encode_record(record: OutgoingRecord) -> bytes:
    """The frame of a record that OutgoingRecord.java publishes."""
    parts = [bytes([VERSION, _PASSED_ON]), _of_text(record.topic), _of_bytes(record.key), _of_bytes(record.value)]
    parts.append(_INT.pack(len(record.headers)))
    for name, value in record.headers:
        parts += (_of_text(name), _of_bytes(value))
    return b"".join(parts)


def encode_stop(reason: str) -> bytes:
    """The frame by which Stop.java ends the job for good. ``reason`` is one line."""
    return bytes([VERSION, _STOP]) + _of_text(reason)


def encode_body(timestamp: int, value: bytes | None, key: bytes | None, headers: Headers) -> bytes:
    """Time (epoch ms, -1 for none), value, key and headers of a record, as KafkaRecord.java packs them."""
    parts = [_LONG.pack(timestamp), _of_bytes(value), _of_bytes(key), _INT.pack(len(headers))]
    for name, content in headers:
        parts += (_of_text(name), _of_bytes(content))
    return b"".join(parts)


def _records(topic: str, partition: int, offsets: Sequence[int], bodies: Sequence[bytes]) -> RecordBatch:
    times: list[int] = []
    values: list[bytes | None] = []
    for body in bodies:
        time, size = _TIME_AND_SIZE.unpack_from(body)
        times.append(time)
        values.append(None if size < 0 else body[12 : 12 + size])
    return RecordBatch(topic, partition, offsets, values, times)


def _headers(body: bytes) -> list[tuple[str, bytes | None]] | None:
    """The headers of a record, None if it has none."""
    _, at = _value(body, 8)
    _, at = _value(body, at)
    (count,) = _INT.unpack_from(body, at)
    at += 4
    found: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        name, at = _text(body, at)
        value, at = _value(body, at)
        found.append((name, value))
    return found or None


def _value(body: bytes, at: int) -> tuple[bytes | None, int]:
    (size,) = _INT.unpack_from(body, at)
    return (None, at + 4) if size < 0 else (body[at + 4 : at + 4 + size], at + 4 + size)


def _with_value(body: bytes, before: bytes | None, value: bytes | None) -> bytes:
    return body[:8] + _of_bytes(value) + body[12 + len(before or b"") :]


def _position(text: str) -> Position:
    topic, partition, offset = text.rsplit(":", 2)
    return Position(topic, int(partition), int(offset))


def _text(frame: bytes, at: int) -> tuple[str, int]:
    (size,) = _INT.unpack_from(frame, at)
    return frame[at + 4 : at + 4 + size].decode(), at + 4 + size


def _of_text(text: str) -> bytes:
    return _of_bytes(text.encode())


def _of_bytes(value: bytes | None) -> bytes:
    return _NULL if value is None else _INT.pack(len(value)) + value


def _require_version(frame: bytes) -> None:
    if frame[0] != VERSION:
        raise FrameError(
            f"a frame has format {frame[0]}, and this version of lpa-flink reads format {VERSION}: "
            "install the version of lpa-flink that the jar is of"
        )


def _damaged(what: str, problem: Exception) -> FrameError:
    return FrameError(f"{what} cannot be read ({problem}): install the version of lpa-flink that the jar is of")
