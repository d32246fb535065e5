"""What was erased, as a file for each erasure: positions, and nothing of what they held."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import final

import msgspec

from lpa_core.delivery.consumer_group import Partition
from lpa_core.durable import write_file
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_ops.erase.stored_records import Spans
from lpa_ops.recover.scenario import RecoveryError


class ErasedSpan(msgspec.Struct, frozen=True):
    """Consecutive records of a partition that were erased."""

    topic: str
    partition: int
    first: int
    behind: int


@final
class Receipt(msgspec.Struct, frozen=True):
    """An erasure that was carried out.

    Attributes:
        at: when it ended, ISO 8601.
        path: of the value that chose the records, which is not kept; empty for one that was carried out again.
        database: where.
        rows: of each table.
        archived: archive -> records.
        spans: positions.
    """

    at: str
    path: str
    database: str
    rows: Mapping[str, int]
    archived: Mapping[str, int]
    spans: Sequence[ErasedSpan]


def as_erased(spans: Spans) -> list[ErasedSpan]:
    return [ErasedSpan(*partition, *span) for partition, some in spans.items() for span in some]


def as_spans(erased: Sequence[ErasedSpan]) -> Spans:
    found: dict[Partition, list[OffsetSpan]] = {}
    for each in erased:
        found.setdefault(Partition(each.topic, each.partition), []).append(OffsetSpan(each.first, each.behind))
    return found


def write(folder: Path, receipt: Receipt) -> Path:
    """Raises RecoveryError."""
    path = folder / f"{time.time_ns() // 1_000_000}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_file(path, [msgspec.json.encode(receipt)])
    except OSError as error:
        raise RecoveryError(f"{path} cannot be written: {error.strerror}; make it writable") from None
    return path


def read(folder: Path) -> list[Receipt]:
    """All receipts, the oldest first. Raises RecoveryError if one cannot be read."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Receipt))
        except (OSError, msgspec.DecodeError) as error:
            raise RecoveryError(f"{path} cannot be read ({error}): bring it back from a copy, or remove it") from None
    return found


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
