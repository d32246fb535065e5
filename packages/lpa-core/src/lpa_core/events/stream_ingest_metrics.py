"""``stream_ingest_metrics``: connection and track statistics of a stream (spec/events.md section 3.2)."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import EventType, Row, typed_table
from lpa_core.events.model import EventData, Float32, Float64, Text, UInt32, UInt64
from lpa_core.tables import Column, Kind, Table


@final
@attrs.frozen(slots=True)
class TrackStats:
    type: Text = ""
    jitter: Float32 = 0.0
    packets_received: UInt32 = 0
    packets_lost: UInt32 = 0
    packet_loss_pct: Float32 = 0.0
    rtt: Float32 = 0.0
    last_input_ts: Float64 = 0.0
    latency: Float32 = 0.0


@final
@attrs.frozen(slots=True)
class PeerConnStats:
    BytesReceived: UInt64 = 0
    BytesSent: UInt64 = 0


@final
@attrs.frozen(slots=True)
class Stats:
    conn_quality: Text = ""
    peer_conn_stats: PeerConnStats | None = None
    track_stats: list[TrackStats] | None = None


@final
@attrs.frozen(slots=True)
class StreamIngestMetrics(EventData):
    stream_id: Text = ""
    request_id: Text = ""
    stats: Stats | None = None


def _track_columns(kind: str) -> tuple[Column, ...]:
    return (
        Column(f"{kind}_jitter", Kind.FLOAT32),
        Column(f"{kind}_packets_received", Kind.UINT32),
        Column(f"{kind}_packets_lost", Kind.UINT32),
        Column(f"{kind}_packet_loss_pct", Kind.FLOAT32),
        Column(f"{kind}_rtt", Kind.FLOAT32),
        Column(f"{kind}_last_input_ts", Kind.FLOAT64),
        Column(f"{kind}_latency", Kind.FLOAT32),
    )


TABLE = typed_table(
    "stream_ingest_metrics",
    Column("stream_id", Kind.TEXT),
    Column("request_id", Kind.TEXT),
    Column("connection_quality", Kind.LABEL),
    *_track_columns("video"),
    *_track_columns("audio"),
    Column("bytes_received", Kind.UINT64),
    Column("bytes_sent", Kind.UINT64),
    order_by=("stream_id",),
)

_NO_STATS = Stats()
_NO_PEER = PeerConnStats()
_NO_TRACK = TrackStats()


def _shape(envelope: Envelope, data: StreamIngestMetrics) -> tuple[tuple[Table, Row]]:
    stats = data.stats or _NO_STATS
    peer = stats.peer_conn_stats or _NO_PEER
    video = audio = _NO_TRACK
    for track in stats.track_stats or ():
        if track.type == "video":
            video = track
        elif track.type == "audio":
            audio = track
    row = (
        data.stream_id,
        data.request_id,
        stats.conn_quality,
        video.jitter,
        video.packets_received,
        video.packets_lost,
        video.packet_loss_pct,
        video.rtt,
        video.last_input_ts,
        video.latency,
        audio.jitter,
        audio.packets_received,
        audio.packets_lost,
        audio.packet_loss_pct,
        audio.rtt,
        audio.last_input_ts,
        audio.latency,
        peer.BytesReceived,
        peer.BytesSent,
    )
    return ((TABLE, row),)


EVENT_TYPE = EventType(
    name="stream_ingest_metrics",
    model=StreamIngestMetrics,
    required=("data.stream_id", "data.request_id"),
    tables=(TABLE,),
    shape=_shape,
)
