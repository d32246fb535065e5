"""How a prepared range is written beside a committed offset. Pure.

Brokers keep at most 4,096 bytes there, unless ``offset.metadata.max.bytes`` says otherwise.
"""

from __future__ import annotations

import base64
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Final, final

import attrs
import msgspec

from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.ranges import Range
from lpa_core.errors import JobFailed

MAX_SPAN: Final = 10_000
"""Offsets between the start and the end of a range: for each, two bits have to find room in the metadata."""
MAX_BYTES: Final = 4_096

MARK: Final = "lpa1:"
"""Begins every text that a delivery has written."""
_COLLAPSED: Final = "refused by the sink (the reasons did not fit the commit metadata)"

_ALL_BYTES: Final = 64
"""More than the bits take that name every offset of a range: they compress."""


class DamagedMetadataError(JobFailed):
    """The text was written by a delivery, but cannot be read."""


@final
class _Written(msgspec.Struct, frozen=True, omit_defaults=True):
    """Short names, for the room."""

    s: int
    """start"""
    e: int
    """end"""
    n: int
    """count"""
    t: int
    """batch time, epoch ms"""
    d: str = ""
    """duplicates, as bits"""
    r: list[tuple[str, str]] = []  # msgspec copies it
    """refused: why, and whom, as bits"""
    f: str = ""
    """fingerprint of the settings"""
    x: list[tuple[str, str]] = []  # msgspec copies it
    """reduced: why, and whom, as bits"""
    g: int = 0
    """gap after the end, in offsets"""


@final
@attrs.frozen(slots=True)
class Prepared:
    """A prepared range as found in the group, and the fingerprint of the settings it was judged under."""

    range: Range
    fingerprint: str


def room(span: int) -> int:
    """Bytes that the metadata of a range of so many offsets takes at most, whatever becomes of its records."""
    most = (1 << 63) - 1
    range_ = Range("", 0, most - span, most, span, "", most, next_offset=2 * most)
    text = _encoded(range_, {_COLLAPSED: []}, {_COLLAPSED: []}, "f" * 16)
    bits = (span + 7) // 8
    packed = bits + 5 * (bits // 16_383 + 1) + 6  # what zlib adds where it finds nothing to compress
    return len(text) + len(',"d":""') + 2 * 4 * ((packed + 2) // 3) + _ALL_BYTES


def widest(limit: int) -> int:
    """The most offsets that a range may span, where brokers keep ``limit`` bytes; 0 if not even one fits."""
    return bisect_right(range(1, MAX_SPAN + 1), limit, key=room)


def fitting(range_: Range, fingerprint: str, limit: int = MAX_BYTES) -> Range:
    """The range as its metadata has room for it: if it is not enough to name the reduced rejects, all are reduced."""
    if not range_.reduced or len(encode(range_, fingerprint, limit).encode()) <= limit:
        return range_
    return attrs.evolve(range_, reduced=dict.fromkeys(range(range_.start, range_.end), _COLLAPSED))


def encode(range_: Range, fingerprint: str, limit: int = MAX_BYTES) -> str:
    """The metadata that names a prepared range.

    At most ``limit`` bytes where that is :func:`room` for its span and the range is :func:`fitting`.
    """
    refused, reduced = _by_reason(range_.refused), _by_reason(range_.reduced)
    text = _encoded(range_, refused, reduced, fingerprint)
    if len(text.encode()) > limit:
        refused, reduced = ({_COLLAPSED: list(each)} if each else {} for each in (range_.refused, range_.reduced))
        text = _encoded(range_, refused, reduced, fingerprint)
    return text


@final
@attrs.frozen(slots=True)
class CommitFormat:
    """How a worker writes its prepared ranges: with the fingerprint of its settings, in so many bytes at most."""

    fingerprint: str
    max_bytes: int

    def encode(self, range_: Range) -> str:
        return encode(range_, self.fingerprint, self.max_bytes)

    def fitting(self, range_: Range) -> Range:
        return fitting(range_, self.fingerprint, self.max_bytes)


def _by_reason(offsets: Mapping[int, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for offset, why in offsets.items():
        found.setdefault(why, []).append(offset)
    return found


def _encoded(
    range_: Range, refused: Mapping[str, list[int]], reduced: Mapping[str, list[int]], fingerprint: str
) -> str:
    written = _Written(
        range_.start,
        range_.end,
        range_.count,
        range_.batch_time,
        _bits(range_.duplicates or (), range_),
        [(why, _bits(offsets, range_)) for why, offsets in refused.items()],
        fingerprint,
        [(why, _bits(offsets, range_)) for why, offsets in reduced.items()],
        range_.next_offset - range_.end,
    )
    return MARK + msgspec.json.encode(written).decode()


def decode(partition: Partition, metadata: str) -> Prepared | None:
    """The prepared range that the metadata names; None if it names none.

    Raises DamagedMetadataError.
    """
    if not metadata.startswith(MARK):
        return None
    try:
        written = msgspec.json.decode(metadata[len(MARK) :], type=_Written)
        range_ = Range(
            topic=partition.topic,
            partition=partition.number,
            start=written.s,
            end=written.e,
            count=written.n,
            resume="",
            batch_time=written.t,
            refused={offset: why for why, bits in written.r for offset in _offsets(bits, written.s)},
            duplicates=frozenset(_offsets(written.d, written.s)),
            reduced={offset: why for why, bits in written.x for offset in _offsets(bits, written.s)},
            next_offset=written.e + written.g,
        )
    except (msgspec.DecodeError, ValueError, zlib.error) as error:
        raise DamagedMetadataError(
            f"the commit metadata of {partition} is damaged ({error}): {metadata[:80]}"
        ) from None
    return Prepared(range_, written.f)


def _bits(offsets: Iterable[int], range_: Range) -> str:
    bits = 0
    for offset in offsets:
        bits |= 1 << (offset - range_.start)
    if not bits:
        return ""
    return base64.b64encode(zlib.compress(bits.to_bytes((bits.bit_length() + 7) // 8, "little"), 9)).decode()


def _offsets(text: str, start: int) -> Iterable[int]:
    if not text:
        return
    bits = int.from_bytes(zlib.decompress(base64.b64decode(text, validate=True)), "little")
    index = 0
    for byte in bits.to_bytes((bits.bit_length() + 7) // 8, "little"):
        for bit in range(8):
            if byte >> bit & 1:
                yield start + index + bit
        index += 8
