"""Stored rows written down by hand, for tests of what is made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any, Final, final

from clickhouse_connect.driver.client import Client

from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.rollups import ChangedSamples, roll_up
from lpa_sinks.materialize.row_filter import SessionName

DAY: Final = "2090-01-08"
"""The day of all times that are given without one: its rows do not expire."""
DAY_BEFORE: Final = "2090-01-07"

_IDENTITY: Final[dict[str, Any]] = {
    "gateway": "gateway",
    "orchestrator_address": "0xcan",
    "pipeline": "live",
    "model_id": "model",
    "gpu_id": "GPU-1",
}


@final
class HandMade:
    """Rows of one database that has the schema. Times are like ``10:00:00.5``; what is not given has a default."""

    def __init__(self, client: Client, database: str) -> None:
        self.client = client
        self.database = database
        self._numbers = count(1)
        self._written: set[str] = set()

    def insert(self, table: str, **values: Any) -> None:
        """One row. Text is taken as text, None as null; what is not text is put as it prints."""
        self._written.add(table)
        literals = ", ".join(map(_literal, values.values()))
        self.client.command(f"INSERT INTO {self.database}.{table} ({', '.join(values)}) SELECT {literals}")

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, Any]], **computed: str) -> None:
        """Many rows with the same columns.

        Args:
            computed: column -> SQL expression; what begins with ``_`` in the rows is for these only.
        """
        self._written.add(table)
        if rows:
            names = [name for name in rows[0] if not name.startswith("_")]
            lines = _literal("\n".join(map(json.dumps, rows)))
            self.client.command(
                f"INSERT INTO {self.database}.{table} ({', '.join([*names, *computed])}) "
                f"SELECT {', '.join([*names, *computed.values()])} FROM format(JSONEachRow, {lines})"
            )

    def session(self, session_id: str = "s|r", start: str = "10:00:00", end: str = "10:30:00", **values: Any) -> None:
        """A clean session and its latency: known, started, three of three health signals."""
        stream_id, _, request_id = session_id.partition("|")
        row = {
            "workflow_session_id": session_id,
            "stream_id": stream_id,
            "request_id": request_id,
            **_IDENTITY,
            "session_start_ts": time(start),
            "session_end_ts": time(end),
            "known_stream": 1,
            "startup_success": 1,
            "status_sample_count": 1,
            "health_signal_count": 3,
            "health_expected_signal_count": 3,
            "version": next(self._numbers),
            "org_key": values.get("org", ""),
            **values,
        }
        self.insert("fact_workflow_sessions_versions", **row)

    def sample(self, at: str = "10:05:00", session_id: str = "s|r", **values: Any) -> None:
        """An attributed status sample with output."""
        stream_id, _, request_id = session_id.partition("|")
        row = {
            "sample_ts": time(at),
            "workflow_session_id": session_id,
            "stream_id": stream_id,
            "request_id": request_id,
            **_IDENTITY,
            "state": "ONLINE",
            "output_fps": 20,
            "is_attributed": 1,
            "gpu_attribution_method": "segment_window_join",
            "source_event_uid": f"{session_id} {at}",
            "version": next(self._numbers),
            "org_key": values.get("org", ""),
            **values,
        }
        self.insert("fact_stream_status_samples_versions", **row)

    def latency(self, session_id: str = "s|r", start: str = "10:00:00", **values: Any) -> None:
        """A latency sample of a session that has these values: ``prompt_to_first_frame_ms`` and the like."""
        has = {f"has_{name.removesuffix('_ms')}": 1 for name in values if name.endswith("_ms")}
        row = {
            "sample_ts": time(start),
            "workflow_session_id": session_id,
            **_IDENTITY,
            "version": next(self._numbers),
            **has,
            **values,
        }
        self.insert("fact_workflow_latency_samples_versions", **row)

    def benchmark(self, day: str = DAY_BEFORE, **values: Any) -> None:
        """The quality benchmark of a day; columns that are not given have no benchmark rows."""
        row = {
            "window_start": f"{day} 00:00:00",
            "pipeline": _IDENTITY["pipeline"],
            "model_id": _IDENTITY["model_id"],
            "version": next(self._numbers),
            **values,
        }
        self.insert("agg_quality_benchmark_1d_versions", **row)

    def roll_up(self, *hours: int) -> None:
        """Make the rollups of these hours of the day, or of all."""
        starts = [int(datetime.fromisoformat(f"{DAY}T{hour:02}:00:00Z").timestamp()) for hour in hours or range(24)]
        self._written |= {"agg_stream_performance_1m_versions", "agg_session_performance_1h_versions"}
        minutes = [start + 60 * minute for start in starts for minute in range(60)]
        sessions = self.rows("SELECT DISTINCT org, workflow_session_id FROM $.fact_stream_status_samples_versions")
        changed = ChangedSamples()
        changed.add(minutes, [SessionName(*each) for each in sessions])
        roll_up(FactDatabase(self.client, self.database), changed)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query answers; ``$`` stands for the database."""
        return [tuple(row) for row in self.client.query(sql.replace("$", self.database)).result_rows]

    def clear(self, *more: str) -> None:
        """Take all rows out of the tables that were written here, and out of ``more``."""
        for name in self._written.union(more):
            self.client.command(f"TRUNCATE TABLE {self.database}.{name} SYNC")
        self._written.clear()


def time(of_day: str) -> str:
    """A time of :data:`DAY`, unless it names its own."""
    return of_day if " " in of_day else f"{DAY} {of_day}"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return str(value)
