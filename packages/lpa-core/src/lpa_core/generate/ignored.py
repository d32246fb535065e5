"""Records that a built-in rule ignores, most of them telemetry of clients (docs/spec/producers.md section 1).

They hold what clients send of persons: addresses, places, user agents, user ids. All of it is imaginary: the addresses
are those reserved for documentation (RFC 5737).
"""

from __future__ import annotations

from random import Random
from typing import Any, Final, final

import msgspec

from lpa_core.generate.network import Gateway, uuid

_FAMILIES: Final = {
    "pipelines_api_request": 387,
    "webrtc_stats": 185,
    "app_trace": 10,
    "scope_trace": 6,
    "unknown_trace": 3,
    "custom_monitoring_event": 3,
}
"""Per mille of the wider topic; the first two as measured on 2026-03-24, the others imagined."""
_APP_TRACES: Final = ("app_capacity_query_response", "app_start_broadcast_stream", "app_param_update")
_SCOPE_TRACES: Final = ("stream_heartbeat", "pipeline_loaded", "session_created", "websocket_connected")
_ROUTES: Final = ("/api/streams", "/api/pipelines", "/api/prompts")
_CITIES: Final = (("Lyon", "FR", "Auvergne-Rhône-Alpes"), ("Bergen", "NO", "Vestland"), ("Recife", "BR", "Pernambuco"))
_USER_AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15",
)


@final
class IgnoredProducer:
    """Reports clients, requests of the dashboard, and traces that no session knows."""

    def __init__(self, rng: Random, gateways: tuple[Gateway, ...]) -> None:
        self._rng = rng
        self._gateways = gateways

    def record(self, at: int) -> bytes:
        """The next record, as of that time in epoch ms."""
        rng = self._rng
        (family,) = rng.choices([*_FAMILIES], [*_FAMILIES.values()])
        kind = "stream_trace" if family.endswith("_trace") else family
        gateway = rng.choice(self._gateways).name if kind == "stream_trace" else ""
        event = {
            "id": uuid(rng),
            "type": kind,
            "timestamp": str(at),
            "gateway": gateway,
            "data": self._data(family, at),
        }
        return msgspec.json.encode(event)

    def _data(self, family: str, at: int) -> dict[str, Any]:
        rng = self._rng
        if family == "pipelines_api_request":
            return {
                "method": rng.choice(("GET", "GET", "POST")),
                "path": rng.choice(_ROUTES),
                "status": rng.choice((200, 200, 200, 404)),
                "duration_ms": rng.randrange(2, 400),
                "user_id": self._user(),
                **self._client(),
            }
        if family == "webrtc_stats":
            return {
                "stream_id": f"stream-{rng.getrandbits(28):07x}",
                "timestamp": at,
                "viewer_info": self._client(),
                "stats": {"fps": rng.randrange(10, 30), "jitter": rng.random(), "packets_lost": rng.randrange(5)},
            }
        if family == "app_trace":
            return {"type": rng.choice(_APP_TRACES), "timestamp": at, "user_info": self._client()}
        if family == "scope_trace":
            return {"type": rng.choice(_SCOPE_TRACES), "client_source": "Scope", "user_id": self._user()}
        if family == "unknown_trace":
            return {"type": "stream_stopped", "timestamp": at}
        return {"name": "frame_budget", "value": rng.random()}

    def _user(self) -> str:
        return f"user-{self._rng.randrange(200):03d}"

    def _client(self) -> dict[str, str]:
        rng = self._rng
        city, country, region = rng.choice(_CITIES)
        return {
            "ip": f"203.0.113.{rng.randrange(1, 255)}",
            "city": city,
            "country": country,
            "region": region,
            "user_agent": rng.choice(_USER_AGENTS),
        }
