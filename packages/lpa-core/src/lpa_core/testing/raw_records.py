"""Records as bytes on the wire: what no client's library sends, such as a header whose name is not UTF-8."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import Final, final

import attrs

_POLYNOMIAL: Final = 0x82F63B78
_PRODUCE: Final = 0
_VERSION: Final = 3


@final
@attrs.frozen
class RawRecord:
    """A record as any producer may send it. ``timestamp`` is a signed integer of 64 bits."""

    value: bytes | None
    timestamp: int
    key: bytes | None = None
    headers: Sequence[tuple[bytes, bytes | None]] = ()


def send(host: str, port: int, topic: str, records: Sequence[RawRecord], partition: int = 0) -> None:
    """Produce each record in a batch of its own, without a login. Raises RuntimeError if the broker refuses one."""
    with socket.create_connection((host, port), 30) as connection:
        for record in records:
            connection.sendall(_sized(_request(topic, partition, _batch(record))))
            answer = _received(connection, struct.unpack(">i", _received(connection, 4))[0])
            (error,) = struct.unpack_from(">h", answer, 4 + 4 + 2 + len(topic.encode()) + 4 + 4)
            if error:
                raise RuntimeError(f"the broker refuses {record} with error {error}")


def _request(topic: str, partition: int, batch: bytes) -> bytes:
    header = struct.pack(">hhi", _PRODUCE, _VERSION, 1) + _text("raw")
    transactional_id = struct.pack(">h", -1)
    body = struct.pack(">hi", -1, 30_000) + struct.pack(">i", 1) + _text(topic)
    return header + transactional_id + body + struct.pack(">ii", 1, partition) + _sized(batch)


def _batch(record: RawRecord) -> bytes:
    headers = b"".join(_varint(len(name)) + name + _bytes(value) for name, value in record.headers)
    inner = b"\x00" + _varint(0) + _varint(0) + _bytes(record.key) + _bytes(record.value)
    inner += _varint(len(record.headers)) + headers
    checked = struct.pack(">hiqqqhii", 0, 0, record.timestamp, record.timestamp, -1, -1, -1, 1)
    checked += _varint(len(inner)) + inner
    return struct.pack(">qiibI", 0, len(checked) + 9, -1, 2, _crc32c(checked)) + checked


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text.encode())) + text.encode()


def _sized(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def _bytes(data: bytes | None) -> bytes:
    return _varint(-1) if data is None else _varint(len(data)) + data


def _varint(number: int) -> bytes:
    left = (number << 1) ^ (number >> 63)
    found = bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])


def _crc32c(data: bytes) -> int:
    found = 0xFFFFFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (_POLYNOMIAL if found & 1 else 0)
    return found ^ 0xFFFFFFFF


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise RuntimeError("the broker hangs up")
        data += more
    return data
