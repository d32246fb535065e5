"""Connections to an application: none that waits for its client keeps others out."""

from __future__ import annotations

import asyncio
import resource
from typing import Any, Final, final

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS: Final = 20.0
"""That a client may take to send a request, from the beginning of a connection or of the request to its end."""
MOST_CONNECTIONS: Final = min(512, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
"""At most half of the files that a process may have open: the other half is for databases and files."""


@final
class PatientProtocol(H11Protocol):
    """HTTP/1.1 with an end to waiting, which uvicorn knows only between two requests.

    A request that is not whole in time is ended. If there are too many connections, the one goes that has waited
    longest for its client; the new one waits, too.
    """

    request_seconds = REQUEST_SECONDS
    most_connections = MOST_CONNECTIONS
    _waiting_since = 0.0
    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.most_connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._go_on()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.is_waiting:
            self._go_on()
        elif self._end is None:
            self._wait()

    @property
    def is_waiting(self) -> bool:
        """Whether the client has yet to send something."""
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body

    def _make_room(self) -> None:
        held = [each for each in self.connections if isinstance(each, PatientProtocol)]
        still_open = [each for each in held if not each.transport.is_closing()]
        if len(still_open) > self.most_connections:
            waiting = (each for each in still_open if each.is_waiting)
            min(waiting, key=lambda each: each._waiting_since).transport.abort()

    def _wait(self) -> None:
        self._waiting_since = self.loop.time()
        self._end = self.loop.call_later(self.request_seconds, self.transport.abort)

    def _go_on(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None
