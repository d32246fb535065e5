"""What lies between the stages on a cluster, in memory: the dedup and the gate of flink-jobs, with restores."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import final

from lpa_flink import frames
from lpa_flink.stages import KeysStage, WriteStage


@final
class ModelOfFlink:
    """One run of the job over records of one partition; ``published`` is what the next checkpoint would publish."""

    def __init__(self, keys: KeysStage, write: Callable[[], WriteStage], topic: str, partition: int = 0) -> None:
        self._keys, self._new_write = keys, write
        self._write = write()
        self._topic, self._partition = topic, partition
        self._owners: dict[str, str] = {}
        self._previous_end = -1
        self.published: list[bytes] = []
        self.ranges: list[bytes] = []
        """Those that were let on, in order."""

    def read(self, records: Mapping[int, bytes | None], time: int = -1, headers: frames.Headers = ()) -> bytes:
        """Take records through the first stage, the dedup and the gate; return the range, which is not written yet."""
        *stored, judged = self._keys(batch_frame(self._topic, self._partition, records, time, headers))
        for frame in stored:
            for claim, offset in _claims(frame):
                self._owner(claim, offset)
        offsets = sorted(records)
        judged_at, fingerprint, claims, bodies = _judged(judged)
        owners = [self._owner(claim, offset) for claim, offset in zip(claims, offsets, strict=True)]
        frame = b"\x01\x00" + struct.pack(">q", judged_at) + _sized(fingerprint) + _sized(self._topic.encode())
        frame += struct.pack(">iqi", self._partition, self._previous_end, len(offsets))
        for offset, owner, body in zip(offsets, owners, bodies, strict=True):
            frame += struct.pack(">q", offset) + _sized(owner.encode()) + _sized(body)
        self._previous_end = offsets[-1] + 1
        self.ranges.append(frame)
        return frame

    def write(self, frame: bytes) -> Sequence[bytes]:
        """Write a range whose checkpoint is complete."""
        found = self._write(frame)
        self.published += found
        return found

    def deliver(self, records: Mapping[int, bytes | None], time: int = -1) -> Sequence[bytes]:
        return self.write(self.read(records, time))

    def restore(self, frame: bytes) -> Sequence[bytes]:
        """Begin again with the checkpoint that holds this range: what was published after it is aborted."""
        self._write = self._new_write()
        return self.write(frame[:1] + b"\x01" + frame[2:])

    def _owner(self, claim: str, offset: int) -> str:
        position = f"{self._topic}:{self._partition}:{offset}"
        owner = self._owners.setdefault(claim, position) if claim else position
        return "" if owner == position else owner


def batch_frame(
    topic: str, partition: int, records: Mapping[int, bytes | None], time: int, headers: frames.Headers = ()
) -> bytes:
    """What Batching.java sends."""
    frame = b"\x01" + _sized(topic.encode()) + struct.pack(">ii", partition, len(records))
    for offset, value in sorted(records.items()):
        frame += struct.pack(">q", offset) + _sized(frames.encode_body(time, value, None, headers))
    return frame


def _claims(frame: bytes) -> Iterator[tuple[str, int]]:
    """What Unpacking.java makes of a frame of claims, which have no bodies."""
    _, at = _read(frame, 10)
    _, at = _read(frame, at)
    _, count = struct.unpack_from(">ii", frame, at)
    at += 8
    for _ in range(count):
        (offset,) = struct.unpack_from(">q", frame, at)
        claim, at = _read(frame, at + 8)
        assert frame[at : at + 4] == b"\xff" * 4
        at += 4
        yield claim.decode(), offset


def _judged(frame: bytes) -> tuple[int, bytes, list[str], list[bytes]]:
    (judged_at,) = struct.unpack_from(">q", frame, 2)
    fingerprint, at = _read(frame, 10)
    _, at = _read(frame, at)
    _, count = struct.unpack_from(">ii", frame, at)
    at += 8
    claims, bodies = [], []
    for _ in range(count):
        claim, at = _read(frame, at + 8)
        body, at = _read(frame, at)
        claims.append(claim.decode())
        bodies.append(body)
    return judged_at, fingerprint, claims, bodies


def _read(frame: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">i", frame, at)
    return frame[at + 4 : at + 4 + size], at + 4 + size


def _sized(content: bytes) -> bytes:
    return struct.pack(">i", len(content)) + content
