"""What is written of a range's ignored records: their offsets, their counts, and themselves.

Rules: docs/spec/producers.md section 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import attrs

from lpa_core.dedup.key import canonical_json
from lpa_core.delivery.ranges import Range
from lpa_core.events.coercion import scalar_text, timestamp
from lpa_core.orgs import NO_ORG
from lpa_core.pipeline.verdicts import Ignored
from lpa_core.records import RecordBatch
from lpa_core.tables.ignored import (
    IGNORED_COUNTS_TABLE,
    IGNORED_EVENTS_TABLE,
    IgnoredCounts,
    IgnoredEvent,
    IgnoredStore,
)
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_core.tables.table import Block, Table
from lpa_core.validation.json_document import decoded

MOST_LABEL_CHARACTERS: Final = 64
MOST_COUNTS: Final = 200
"""Rows of counts for one range; what is beyond is counted as OTHER."""
IGNORED_HEADER: Final = "lpa-ignored"
OTHER: Final = "other"
_MOST_GROWTH: Final = 6
"""Bytes of JSON text for one character: an escape."""
PERSONAL_KEYS: Final = frozenset(
    {
        "user_info",
        "viewer_info",
        "broadcaster_info",
        "user_id",
        "ip",
        "client_ip",
        "clientIP",
        "user_agent",
        "host",
    }
)
"""Left out of a redacted payload, at any depth."""


@final
@attrs.frozen(slots=True)
class IgnoredRecord:
    """An ignored record and the offset at which it stands."""

    offset: int
    verdict: Ignored


def spans(ignored: Sequence[IgnoredRecord]) -> list[OffsetSpan]:
    """Their offsets, those that follow each other together."""
    found: list[OffsetSpan] = []
    for record in ignored:
        if found and found[-1].behind == record.offset:
            found[-1] = OffsetSpan(found[-1].first, record.offset + 1)
        else:
            found.append(OffsetSpan(record.offset, record.offset + 1))
    return found


def ignored_blocks(
    ignored: Sequence[IgnoredRecord], range_: Range, store: IgnoredStore, max_row_bytes: int, org: str = NO_ORG
) -> list[Block]:
    """The blocks of counts, and of the records themselves if they are stored; none if nothing was ignored."""
    if not ignored:
        return []
    counts = _counts(ignored, range_, org)
    found = [_block(IGNORED_COUNTS_TABLE, range_, [row.source_offset for row in counts], counts)]
    if store is not IgnoredStore.NONE:
        events = [_event(record, range_, store, max_row_bytes, org) for record in ignored]
        found.append(_block(IGNORED_EVENTS_TABLE, range_, [record.offset for record in ignored], events))
    return found


def without_ignored(batch: RecordBatch, ignored: Sequence[IgnoredRecord]) -> RecordBatch:
    """The batch with a header that says why in place of what each ignored record held."""
    if not ignored:
        return batch
    reasons = {record.offset: record.verdict.reason for record in ignored}
    keys, headers = batch.keys or [None] * len(batch), batch.headers or [None] * len(batch)
    return attrs.evolve(
        batch,
        values=[None if at in reasons else value for at, value in zip(batch.offsets, batch.values, strict=True)],
        keys=[None if at in reasons else key for at, key in zip(batch.offsets, keys, strict=True)],
        headers=[
            [(IGNORED_HEADER, reasons[at].encode())] if at in reasons else some
            for at, some in zip(batch.offsets, headers, strict=True)
        ],
    )


def _block(table: Table, range_: Range, offsets: Sequence[int], rows: Sequence[Sequence[Any]]) -> Block:
    return Block(table, range_.topic, range_.partition, offsets, list(zip(*rows, strict=True)), range_.token(table))


def _counts(ignored: Sequence[IgnoredRecord], range_: Range, org: str) -> list[IgnoredCounts]:
    found: dict[tuple[str, str, str], list[int]] = {}
    for record in ignored:
        verdict = record.verdict
        key = (verdict.reason, _label(verdict.event_type), _label(verdict.event_subtype))
        if key not in found and len(found) >= MOST_COUNTS:
            key = (verdict.reason, OTHER, OTHER)
        count = found.setdefault(key, [record.offset, 0, 0])
        count[1] += 1
        count[2] += len(verdict.raw)
    return [
        IgnoredCounts(
            ingestion_timestamp=range_.batch_time,
            source_topic=range_.topic,
            source_partition=range_.partition,
            source_offset=first,
            org=org,
            event_type=event_type,
            event_subtype=event_subtype,
            ignore_reason=reason,
            records=records,
            bytes=size,
        )
        for (reason, event_type, event_subtype), (first, records, size) in found.items()
    ]


def _event(record: IgnoredRecord, range_: Range, store: IgnoredStore, max_row_bytes: int, org: str) -> IgnoredEvent:
    verdict = record.verdict
    try:
        root = decoded(verdict.raw)
        payload = verdict.raw.decode() if store is IgnoredStore.FULL else canonical_json(_redacted(root))
    except (ValueError, RecursionError):  # no validator has looked at it
        root, payload = {}, verdict.raw.decode() if store is IgnoredStore.FULL else ""
    return IgnoredEvent(
        event_id=(scalar_text(root.get("id")) or "")[:4096],
        event_type=_label(verdict.event_type),
        event_subtype=_label(verdict.event_subtype),
        ignore_reason=verdict.reason,
        event_timestamp=timestamp(root.get("timestamp")),
        org=org,
        gateway=(scalar_text(root.get("gateway")) or "")[:4096],
        source_topic=range_.topic,
        source_partition=range_.partition,
        source_offset=record.offset,
        ingestion_timestamp=range_.batch_time,
        payload_sha256=hashlib.sha256(verdict.raw).hexdigest(),
        payload=payload if len(payload) * _MOST_GROWTH <= max_row_bytes else "",
    )


def _redacted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _redacted(each) for key, each in value.items() if key not in PERSONAL_KEYS}
    if isinstance(value, list):
        return [_redacted(each) for each in value]
    return value


def _label(text: str) -> str:
    return text[:MOST_LABEL_CHARACTERS]
