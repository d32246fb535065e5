"""Records that no pipeline can accept: each rejected for one reason that a producer can cause.

The reasons are those of docs/spec/events.md sections 4 and 5. A tombstone is not among them: a line of a
file always has a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final, final

import msgspec

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate.network import Gateway
from lpa_core.generate.producer import Event, Producer

Breakage = Callable[[int], bytes]
"""Makes a broken record of the given time, in epoch ms."""

_NOT_JSON = (
    b"upstream connect error or disconnect/reset before headers. reset reason: connection failure",
    b"<html><head><title>502 Bad Gateway</title></head></html>",
    b'level=error msg="failed to marshal event"',
)
_UNFIT_TIMESTAMPS = ("2026-01-08T19:20:00Z", "1767900000000.5", "", None, True)

_TOLD: Final = (
    "ai_stream_status",
    "stream_ingest_metrics",
    "stream_trace",
    "network_capabilities",
    "ai_stream_events",
    "discovery_results",
    "create_new_payment",
)
"""What a producer of one stream sends."""

_encode = msgspec.json.encode


@final
class BrokenProducer:
    """A producer with every fault there is, each in its turn, in an order drawn again for each round."""

    def __init__(self, rng: Random, gateway: Gateway, start: int) -> None:
        self._rng = rng
        self._producer = Producer(rng, gateway, gateway.orchestrators[0], start)
        self._gateway = gateway
        self._round = self._rounds()

    def record(self, at: int) -> bytes:
        return next(self._round)(at)

    def _rounds(self) -> Iterator[Breakage]:
        breakages = [
            self._not_json,
            self._truncated,
            self._not_utf8,
            self._array_root,
            self._scalar_root,
            self._without("type"),
            self._with("type", 7),
            self._without("timestamp"),
            *(self._with("timestamp", unfit) for unfit in _UNFIT_TIMESTAMPS),
            self._without("data"),
            self._with("type", "ai_stream_heartbeat"),
            self._with("version", "2"),
            self._with("version", 3),
            self._with("data", [], of="discovery_results"),
            self._with("data", "unchanged", of="network_capabilities"),
            *(
                self._missing(event_type.name, path)
                for event_type in BUILTIN_EVENT_TYPES
                if event_type.name in _TOLD
                for path in event_type.required
            ),
        ]
        while True:
            self._rng.shuffle(breakages)
            yield from breakages

    def _not_json(self, at: int) -> bytes:
        return _NOT_JSON[self._rng.randrange(len(_NOT_JSON))]

    def _truncated(self, at: int) -> bytes:
        whole = _encode(self._event("stream_ingest_metrics", at))
        return whole[: self._rng.randrange(1, len(whole))]

    def _not_utf8(self, at: int) -> bytes:
        event = self._event("ai_stream_status", at)
        event["gateway"] = "gateway-montreal"
        return _encode(event).replace(b"montreal", "montréal".encode("latin-1"))

    def _array_root(self, at: int) -> bytes:
        return _encode([self._event("stream_trace", at)])

    def _scalar_root(self, at: int) -> bytes:
        return _encode(_encode(self._event("stream_trace", at)).decode())

    def _without(self, key: str) -> Breakage:
        def broken(at: int) -> bytes:
            event = self._event("ai_stream_status", at)
            event.pop(key)
            return _encode(event)

        return broken

    def _with(self, key: str, value: Any, *, of: str = "stream_ingest_metrics") -> Breakage:
        def broken(at: int) -> bytes:
            return _encode(self._event(of, at) | {key: value})

        return broken

    def _missing(self, kind: str, path: str) -> Breakage:
        """The field is left out, null or empty; ``data`` itself can only be null: without it all else fails."""
        *parents, key = path.split(".")

        def broken(at: int) -> bytes:
            event = self._event(kind, at)
            holder = event
            for parent in parents:
                holder = holder[parent]
            draw = self._rng.randrange(3)
            if path == "data" or draw == 0:
                holder[key] = None
            elif draw == 1:
                holder[key] = ""
            else:
                holder.pop(key, None)
            return _encode(event)

        return broken

    def _event(self, kind: str, at: int) -> Event:
        producer = self._producer
        if kind == "stream_trace":
            return producer.trace(at, "gateway_receive_stream_request", orchestrator=False)
        if kind == "stream_ingest_metrics":
            return producer.metrics(at)
        if kind == "ai_stream_status":
            return producer.status(at, "ONLINE")
        if kind == "ai_stream_events":
            return producer.params_update(at)
        if kind == "discovery_results":
            return producer.discovery(at)
        if kind == "create_new_payment":
            return producer.payment(at)
        return producer.announcement(at, [self._gateway.orchestrators[0].capabilities(self._rng)])
