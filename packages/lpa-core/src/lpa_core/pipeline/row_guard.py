"""Keeps rows that are too large away from the sinks (docs/spec/events.md section 8)."""

from __future__ import annotations

from typing import Any, final

import msgspec

from lpa_core.events.event_type import Row
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position
from lpa_core.tables.row_layout import RAW_TABLE, LeadingValues, RawValues
from lpa_core.tables.table import Table
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

_ROW_OVERHEAD = 4096
"""More than a row's column names, numbers and position take as JSON."""
_FAN_OUT = 16
"""One event's typed rows together may take this many times a single row's limit."""


@final
class RowGuard:
    """Judges rows by the bytes of their JSON text; a row of exactly the limit passes."""

    def __init__(self, max_row_bytes: int) -> None:
        self._limit = max_row_bytes
        # JSON text can at most double when it is quoted as a JSON string, and what a typed row
        # repeats of it is no longer than the text itself.
        self._sure = (max_row_bytes - _ROW_OVERHEAD) // 2

    def surely_fits(self, value: bytes, rows: tuple[tuple[Table, Row], ...]) -> bool:
        """A cheap test that is true only where every row fits."""
        size = len(value)
        return size <= self._sure and (len(rows) < 2 or (size + _ROW_OVERHEAD) * len(rows) <= _FAN_OUT * self._limit)

    def check(self, accepted: Accepted, position: Position) -> Failure | None:
        """The failure of an event one of whose rows is too large, or whose rows together are."""
        if self.surely_fits(accepted.raw, accepted.rows):
            return None
        total = 0
        for table, row in self._json_rows(accepted, position):
            size = len(msgspec.json.encode(row))
            total += size
            if size > self._limit:
                return self.failure(f"its row of {table} has {size} bytes")
            if total > _FAN_OUT * self._limit:
                return self.failure(f"its rows together have more than {_FAN_OUT * self._limit} bytes")
        return None

    def _json_rows(self, accepted: Accepted, position: Position) -> list[tuple[str, dict[str, Any]]]:
        envelope = accepted.envelope
        raw = RawValues(
            id=envelope.id,
            type=envelope.type,
            timestamp=envelope.timestamp,
            gateway=envelope.gateway,
            version=envelope.version,
            raw_json=accepted.raw.decode(),
            dedup_key=accepted.dedup_key,
            dedup_strategy=accepted.dedup_strategy,
            org="",
            source_topic=position.topic,
            source_partition=position.partition,
            source_offset=position.offset,
            source_record_timestamp=_A_TIME,
            ingestion_timestamp=_A_TIME,
            replay=int(envelope.replay),
            replay_id=envelope.replay_id,
            replay_attempt=envelope.replay_attempt,
        )
        leading = LeadingValues(
            event_timestamp=envelope.timestamp,
            raw_event_uid=accepted.dedup_key,
            org="",
            source_topic=position.topic,
            source_partition=position.partition,
            source_offset=position.offset,
            ingestion_timestamp=_A_TIME,
            replay=int(envelope.replay),
        )
        rows = [(RAW_TABLE.name, raw._asdict())]
        rows += [
            (table.name, dict(zip(table.column_names, (*leading, *row), strict=True))) for table, row in accepted.rows
        ]
        return rows

    def failure(self, found: str) -> Failure:
        return Failure(
            Stage.SINK_GUARD,
            FailureClass.RECORD_TOO_LARGE,
            Reason.RECORD_TOO_LARGE,
            f"{found}, the limit is {self._limit}",
        )


_A_TIME = 1_700_000_000_000
"""A stand-in: every time of this century takes as many characters."""
