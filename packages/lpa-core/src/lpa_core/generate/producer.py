"""Builds one event after the other, as the producers of one stream send them (docs/spec/events.md section 3).

A producer knows one stream on one gateway and what holds at the moment: orchestrator, frame rate,
counters. The session decides what happens and when.
"""

from __future__ import annotations

from random import Random
from typing import Any, final

import msgspec

from lpa_core.generate.network import Gateway, GeneratedOrchestrator, uuid

Event = dict[str, Any]

_PROMPTS = (
    "a city in the rain, neon lights, cinematic",
    "oil painting of a lighthouse at dusk",
    "paper cut-out forest, soft light",
    "portrait made of coral and sea glass",
    "kodachrome photograph of a desert road",
)
_WITHOUT_ID = 0.02
"""Share of ``ai_stream_status`` without ``id``: only their payload hash tells duplicates."""

_encode = msgspec.json.encode


@final
class Producer:
    def __init__(self, rng: Random, gateway: Gateway, orchestrator: GeneratedOrchestrator, start: int) -> None:
        self.rng = rng
        self.gateway = gateway
        self.orchestrator = orchestrator
        self.start = start
        self.stream_id = f"stream-{rng.getrandbits(28):07x}-{rng.getrandbits(40):010x}"
        self.request_id = f"{rng.getrandbits(32):08x}"
        self.fps = 14.0 + 10.0 * rng.random()
        self.state = "LOADING"
        self.last_error: str | None = None
        self.last_error_time: int | None = None
        self.restarts = 0
        self._payment_session = f"{rng.getrandbits(32):08x}"
        self._manifest = f"{rng.getrandbits(32):08x}"
        self._last_status = start
        self._last_state_change = start
        self._bytes_per_second = 120_000 + rng.randrange(80_000)
        self._received = self._sent = self._video_packets = self._audio_packets = self._lost = 0
        self._change_params(start)

    def trace(self, at: int, kind: str, *, orchestrator: bool = True) -> Event:
        data = {
            "orchestrator_info": self._orchestrator_info() if orchestrator else {"address": "", "url": ""},
            "pipeline_id": "",
            "request_id": self.request_id,
            "stream_id": self.stream_id,
            "timestamp": at,
            "type": kind,
        }
        return self._event(at + self.rng.randrange(3), "stream_trace", data)

    def swap(self, at: int, successor: GeneratedOrchestrator) -> Event:
        """The stream goes on with another orchestrator; its trace carries no time of its own."""
        self.orchestrator = successor
        self._payment_session = f"{self.rng.getrandbits(32):08x}"
        data = {
            "message": "orchestrator is slow",
            "orchestrator_info": self._orchestrator_info(),
            "pipeline": successor.model,
            "pipeline_id": "",
            "request_id": self.request_id,
            "stream_id": self.stream_id,
            "type": "orchestrator_swap",
        }
        return self._event(at, "stream_trace", data)

    def metrics(self, at: int) -> Event:
        """Counters five seconds further on, with now and then a poor connection."""
        random = self.rng.random
        poor = random() < 0.04
        received = int(self._bytes_per_second * (4.0 + 2.0 * random()))
        self._received += received
        self._sent += 3500 + int(400 * random())
        self._video_packets += received // 1150
        self._audio_packets += 250
        lost = 1 + int(40 * random()) if poor else 0
        self._lost += lost
        seconds = (at - self.start) / 1000
        video = {
            "type": "video",
            "jitter": (30.0 if poor else 4.0) * (0.7 + random() + random()),
            "packets_lost": self._lost,
            "packets_received": self._video_packets,
            "packet_loss_pct": 100.0 * lost / (lost + received // 1150),
            "rtt": 0,
            "last_input_ts": seconds - int(60 * random()) / 1000,
            "last_output_ts": 0,
            "latency": 0,
        }
        audio = {
            "type": "audio",
            "jitter": 19.8 + 0.2 * random(),
            "packets_lost": 0,
            "packets_received": self._audio_packets,
            "packet_loss_pct": 0,
            "rtt": 0,
            "last_input_ts": seconds - int(20 * random()) / 1000,
            "last_output_ts": 0,
            "latency": 0,
        }
        data = {
            "pipeline_id": "",
            "request_id": self.request_id,
            "stats": {
                "peer_conn_stats": {
                    "ID": "iceTransport",
                    "BytesReceived": self._received,
                    "BytesSent": self._sent,
                },
                "track_stats": [video, audio],
                "conn_quality": "bad" if lost > 25 else "fair" if poor else "good",
            },
            "stream_id": self.stream_id,
            "timestamp": at,
        }
        return self._event(at, "stream_ingest_metrics", data)

    def status(self, at: int, state: str) -> Event:
        rng = self.rng
        if state != self.state:
            self.state = state
            self._last_state_change = at - rng.randrange(4000)
        input_fps = self.fps + rng.random() - 0.5 if state != "DEGRADED_INPUT" else 0
        if state == "ONLINE":
            output_fps: float = self.fps - 0.8 * rng.random()
        else:
            output_fps = 0.6 * self.fps * rng.random() if state == "DEGRADED_INFERENCE" else 0
        data = {
            "inference_status": {
                "fps": output_fps,
                "last_error": self.last_error,
                "last_error_time": self.last_error_time,
                "last_output_time": at - rng.randrange(20, 140),
                "last_params": self._params,
                "last_params_hash": self._params_hash,
                "last_params_update_time": self._params_time,
                "last_restart_logs": None,
                "last_restart_time": self.last_error_time if self.restarts else None,
                "restart_count": self.restarts,
            },
            "input_status": {"fps": input_fps, "last_input_time": at - rng.randrange(5, 120)},
            "last_state_update_time": self._last_state_change,
            "last_status_timestamp": self._last_status,
            "orchestrator_info": self._orchestrator_info(),
            "pipeline": self.orchestrator.model,
            "pipeline_id": "",
            "request_id": self.request_id,
            "start_time": self.start + 300,
            "state": state,
            "stream_id": self.stream_id,
            "timestamp": at,
            "type": "status",
        }
        self._last_status = at
        event = self._event(at + rng.randrange(3), "ai_stream_status", data)
        if rng.random() < _WITHOUT_ID:
            del event["id"]
        return event

    def message(self, at: int, kind: str, text: str) -> Event:
        data = {
            "capability": "",
            "message": text,
            "pipeline": self.orchestrator.model,
            "pipeline_id": "",
            "request_id": self.request_id,
            "stream_id": self.stream_id,
            "type": kind,
        }
        return self._event(at, "ai_stream_events", data)

    def failure(self, at: int, text: str) -> Event:
        """An error of the runner, which status reports from then on."""
        self.last_error = text
        self.last_error_time = at
        self.restarts += 1
        return self.message(at, "error", text)

    def params_update(self, at: int) -> Event:
        self._change_params(at)
        return self.message(at, "params_update", _encode(self._params).decode())

    def discovery(self, at: int) -> Event:
        rng = self.rng
        items = [
            {"address": orchestrator.proxy.lower(), "latency_ms": str(latency), "url": orchestrator.url}
            for orchestrator in self.gateway.orchestrators
            if (latency := 15 + rng.randrange(400)) < 250 or orchestrator is self.orchestrator
        ]
        return self._event(at, "discovery_results", items)

    def payment(self, at: int, *, first: bool = False) -> Event:
        rng = self.rng
        orchestrator = self.orchestrator
        odds = 990_000 + rng.randrange(20_000)
        data = {
            "capability": "",
            "clientIP": "",
            "faceValue": f"{2_400_000_000_000 * 1_000_000 // odds * 1000} WEI",
            "manifestID": f"35_{orchestrator.model}" if first else self._manifest,
            "numTickets": str(1 + rng.randrange(3)),
            "orchestrator": orchestrator.url,
            "price": f"{orchestrator.price}.{rng.randrange(1000):03d} wei/pixel",
            "recipient": orchestrator.wallet,
            "requestID": self.request_id if first or rng.random() < 0.5 else "",
            "sender": self.gateway.wallet,
            "sessionID": self._payment_session,
            "winProb": f"0.00{odds:07d}0",
        }
        return self._event(at, "create_new_payment", data)

    def announcement(self, at: int, payload: Any) -> Event:
        """What the gateway says of one orchestrator, or of several."""
        return self._event(at, "network_capabilities", payload)

    def _event(self, at: int, kind: str, data: Any) -> Event:
        return {
            "id": uuid(self.rng),
            "type": kind,
            "timestamp": str(at),
            "gateway": self.gateway.name,
            "data": data,
        }

    def _orchestrator_info(self) -> dict[str, str]:
        return {"address": self.orchestrator.proxy.lower(), "url": self.orchestrator.url}

    def _change_params(self, at: int) -> None:
        params: dict[str, Any] = {"height": 512, "width": 512}
        if self.rng.random() < 0.5:
            params["prompt"] = _PROMPTS[self.rng.randrange(len(_PROMPTS))]
        self._params = params
        self._params_hash = f"{self.rng.getrandbits(128):032x}"
        self._params_time = at
