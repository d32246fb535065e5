"""One JSON line per record, from which its bytes can be had back exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import msgspec
from msgspec import UNSET, UnsetType

from lpa_core.records import Oversized, RecordBatch

ERASED_HEADER: Final = "lpa-erased"
"""Of a record of which only the position is left."""

Headers = Sequence[tuple[str, bytes | None]]
"""Of a name that is not UTF-8, lone surrogates stand for the bytes (``surrogateescape``)."""


@final
class ArchivedRecord(msgspec.Struct, frozen=True, gc=False):
    """A record as the archive keeps it.

    Attributes:
        timestamp: epoch ms of the record, or of its range where the source knew none.
        value: the bytes as received; None for a tombstone; only the beginning where ``oversized`` is set.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    headers: Headers | None
    value: bytes | None
    oversized: Oversized | None = None

    def __repr__(self) -> str:
        return f"ArchivedRecord({self.topic}[{self.partition}]@{self.offset})"


@final
class _Line(msgspec.Struct, gc=False):
    """What stands in a line. msgspec writes bytes as base64."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    headers: Headers | None
    header_names_base64: list[bytes] | UnsetType = UNSET
    """All of them, if one is not UTF-8."""
    value: str | UnsetType | None = UNSET
    value_base64: bytes | UnsetType = UNSET
    oversized: Oversized | UnsetType = UNSET


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)


def encode(batch: RecordBatch, indexes: Sequence[int], batch_time: int) -> bytes:
    """The lines of these records of the batch."""
    # A file's name may hold bytes that are no text.
    topic = batch.topic.encode(errors="backslashreplace").decode()
    partition, offsets, values = batch.partition, batch.offsets, batch.values
    timestamps, keys, headers, oversized = batch.timestamps, batch.keys, batch.headers, batch.oversized
    lines = []
    for index in indexes:
        line = _Line(
            topic,
            partition,
            offsets[index],
            batch_time if timestamps is None else timestamps[index],
            None if keys is None else keys[index],
            None if headers is None else headers[index],
        )
        if line.headers and not all(map(_is_text, line.headers)):
            line.header_names_base64 = [name.encode(errors="surrogateescape") for name, _ in line.headers]
            line.headers = [(name.encode(errors="replace").decode(), value) for name, value in line.headers]
        value = values[index]
        if value is None:
            line.value = None
        else:
            try:
                line.value = value.decode()
            except UnicodeDecodeError:
                line.value_base64 = value
        if oversized and index in oversized:
            line.oversized = oversized[index]
        lines.append(line)
    return _encoder.encode_lines(lines)


def _is_text(header: tuple[str, bytes | None]) -> bool:
    try:
        header[0].encode()
    except UnicodeEncodeError:
        return False
    return True


def decode(line: bytes) -> ArchivedRecord:
    """The record of a line. Raises ValueError if it is none."""
    found = _decoder.decode(line)
    value: bytes | None
    if found.value_base64 is not UNSET:
        value = found.value_base64
    elif found.value is UNSET:
        raise ValueError("a line has neither value nor value_base64")
    else:
        value = None if found.value is None else found.value.encode()
    headers = found.headers
    if headers is not None and found.header_names_base64 is not UNSET:
        names = [name.decode(errors="surrogateescape") for name in found.header_names_base64]
        headers = [(name, value) for name, (_, value) in zip(names, headers, strict=True)]
    return ArchivedRecord(
        found.topic,
        found.partition,
        found.offset,
        found.timestamp,
        found.key,
        headers,
        value,
        None if found.oversized is UNSET else found.oversized,
    )
