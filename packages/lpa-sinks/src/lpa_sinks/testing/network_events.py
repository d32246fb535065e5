"""Events of a small network, told one by one, for tests of what is derived from them."""

from __future__ import annotations

from itertools import count
from typing import Any, Final, final

import msgspec

T: Final = 3_999_408_000_000
"""2096-09-25 10:40:00 UTC: rows expire by their age."""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
"""Milliseconds."""


@final
class Events:
    """Records of a small network, with ids of their own."""

    def __init__(self) -> None:
        self._ids = count()

    def _record(self, type_: str, timestamp: int, data: Any) -> bytes:
        event = {"id": f"e{next(self._ids)}", "type": type_, "timestamp": timestamp, "gateway": "gw", "data": data}
        return msgspec.json.encode(event)

    def capability(self, timestamp: int, number: int = 1, *, gpu: str | None = None, model: str = "m") -> bytes:
        orchestrator = {
            "address": f"0xCAN{number}",
            "local_address": f"0xHOT{number}",
            "orch_uri": f"u{number}",
            "hardware": [
                {
                    "pipeline": "live",
                    "model_id": model,
                    "gpu_info": {"0": {"id": gpu or f"GPU-{number}", "name": "RTX"}},
                }
            ],
        }
        return self._record("network_capabilities", timestamp, [orchestrator])

    def shared(self, timestamp: int, number: int, *, offers: bool = True) -> bytes:
        """A capability of an orchestrator that shares its proxy wallet, or only that it answered."""
        orchestrator = {
            "address": f"0xCAN{number}",
            "local_address": "0xSHARED",
            "orch_uri": f"https://U{number}.test/",
            "price_info": {"pricePerUnit": 1, "pixelsPerUnit": 1},
        }
        hardware = {"pipeline": "live", "model_id": "m", "gpu_info": {"0": {"id": f"GPU-{number}", "name": "RTX"}}}
        return self._record(
            "network_capabilities", timestamp, [orchestrator | ({"hardware": [hardware]} if offers else {})]
        )

    def status_at(self, timestamp: int, url: str, stream: str = "s", wallet: str = "0xSHARED") -> bytes:
        """A status that names an orchestrator by its URL."""
        data = {"stream_id": stream, "request_id": "r", "pipeline": "m", "state": "ONLINE"}
        named = {"orchestrator_info": {"address": wallet, "url": url}, "inference_status": {"fps": 20}}
        return self._record("ai_stream_status", timestamp, data | named)

    def trace(self, timestamp: int, type_: str, stream: str = "s", number: int | None = None) -> bytes:
        data = {"stream_id": stream, "request_id": "r", "type": type_, **_served(number)}
        return self._record("stream_trace", timestamp, data)

    def status(self, timestamp: int, stream: str = "s", number: int | None = 1, fps: float = 20) -> bytes:
        data = {"stream_id": stream, "request_id": "r", "pipeline": "m", "state": "ONLINE", **_served(number)}
        return self._record("ai_stream_status", timestamp, {**data, "inference_status": {"fps": fps}})

    def ai_event(self, timestamp: int, type_: str, stream: str = "s", number: int | None = None) -> bytes:
        data = {"stream_id": stream, "request_id": "r", "pipeline": "m", "type": type_, "message": "prompt=x"}
        return self._record("ai_stream_events", timestamp, data | _served(number))

    def session(self, start: int, stream: str = "s", number: int = 1, samples: int = 5) -> list[bytes]:
        return [
            self.trace(start, "gateway_receive_stream_request", stream),
            self.trace(start + 4_000, "gateway_receive_first_processed_segment", stream, number),
            self.trace(start + 6_500, "gateway_receive_few_processed_segments", stream, number),
            *(self.status(start + 7_000 + 10_000 * index, stream, number) for index in range(samples)),
            self.ai_event(start + 9_000, "params_update", stream),
            self.trace(start + 10_000 * samples + 60_000, "gateway_ingest_stream_closed", stream),
        ]


def _served(number: int | None) -> dict[str, Any]:
    return {} if number is None else {"orchestrator_info": {"address": f"0xHOT{number}", "url": f"u{number}"}}


def network(seed: int = 1) -> list[bytes]:
    """Two orchestrators, sessions that overlap, one that swaps, one across the hour; in order of event time."""
    events = Events()
    records = [
        *(events.capability(T - 60_000 + 300_000 * number, 1) for number in range(6)),
        *(events.capability(T - 50_000 + 300_000 * number, 2) for number in range(6)),
        *events.session(T, "s1", 1),
        *events.session(T + 20_000, "s2", 2),
        *events.session(T + 19 * MINUTE, "s3", 1, samples=8),  # over 11:00
        *events.session(T + 30_000, "s4", 1)[:5],
        events.trace(T + 65_000, "orchestrator_swap", "s4", 2),
        events.status(T + 70_000, "s4", 2),
        events.status(T + 5_000, "s5", 3),  # nobody knows its wallet
        events.trace(T + 8_000, "gateway_no_orchestrators_available", "s6"),
        *(events.shared(T - 55_000 + 300_000 * number, 7) for number in range(5)),
        *(events.shared(T - 45_000 + 300_000 * number, 8) for number in range(5)),
        *(events.shared(T - 40_000 + 400_000 * number, 9, offers=False) for number in range(4)),
        *(events.status_at(T + 30_000 * number, "https://u7.test", "s7") for number in range(9)),
        *(events.status_at(T + 31_000 * number, "https://u8.test", "s8", "0xELSE") for number in range(9)),
        *(events.status_at(T + 32_000 * number, f"https://u{8 + number % 3}.test", "s9") for number in range(9)),
        *(events.status_at(T + 33_000 * number, "", "s10") for number in range(3)),
    ]
    return sorted(records, key=lambda record: msgspec.json.decode(record)["timestamp"])
