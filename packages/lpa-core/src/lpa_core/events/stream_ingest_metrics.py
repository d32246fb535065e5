"""``stream_ingest_metrics``: connection and track statistics of a stream (docs/spec/events.md section 3.2)."""

from __future__ import annotations

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.tables.table import Column, Kind


def _track_columns(kind: str) -> tuple[Column, ...]:
    track = f"stats.track_stats[type={kind}]"
    return (
        Column(f"{kind}_jitter", Kind.FLOAT32, at=f"{track}.jitter"),
        Column(f"{kind}_packets_received", Kind.UINT32, at=f"{track}.packets_received"),
        Column(f"{kind}_packets_lost", Kind.UINT32, at=f"{track}.packets_lost"),
        Column(f"{kind}_packet_loss_pct", Kind.FLOAT32, at=f"{track}.packet_loss_pct"),
        Column(f"{kind}_rtt", Kind.FLOAT32, at=f"{track}.rtt"),
        Column(f"{kind}_last_input_ts", Kind.FLOAT64, at=f"{track}.last_input_ts"),
        Column(f"{kind}_latency", Kind.FLOAT32, at=f"{track}.latency"),
    )


TABLE = typed_table(
    "stream_ingest_metrics",
    Column("stream_id", Kind.TEXT, at="stream_id"),
    Column("request_id", Kind.TEXT, at="request_id"),
    Column("connection_quality", Kind.LABEL, at="stats.conn_quality"),
    *_track_columns("video"),
    *_track_columns("audio"),
    Column("bytes_received", Kind.UINT64, at="stats.peer_conn_stats.BytesReceived"),
    Column("bytes_sent", Kind.UINT64, at="stats.peer_conn_stats.BytesSent"),
    order_by=("stream_id",),
)

EVENT_TYPE = EventType("stream_ingest_metrics", required=("data.stream_id", "data.request_id"), tables=(TABLE,))
