"""Serves the admin endpoint from a thread of its own."""

from __future__ import annotations

import errno
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import structlog
from prometheus_client import CollectorRegistry

from lpa_core.admin.app import AdminApp, HealthSource, unchecked
from lpa_core.admin.errors import AdminError
from lpa_core.admin.job import AdministeredJob, JobTap
from lpa_core.uris import HostPort, host_and_port

_STOP_CHECK_SECONDS: Final = 0.1
_LINGER_SECONDS: Final = 1.0
_LINGER_BYTES: Final = 1 << 16
_MOST_CONNECTIONS: Final = 64
"""Each has a thread and a file of the worker, which needs both for other things."""

_log = structlog.get_logger("lpa.admin")


@final
class AdminServer:
    """Offers the admin endpoint of a job on an address. A process that dies takes it along: its threads are daemons."""

    def __init__(
        self,
        address: str,
        token: str,
        job: AdministeredJob,
        registry: CollectorRegistry,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        health: HealthSource = unchecked,
        tap: JobTap | None = None,
    ) -> None:
        """``address`` is host:port, with port 0 for a free one. Without ``token`` nothing can be changed or tapped."""
        self._address = address
        self._app = AdminApp(job, token, registry, clock, health, tap)
        self._server: _Server | None = None

    def start(self) -> None:
        """Listen, and serve from now on. Raises AdminError if the address cannot be listened on."""
        self._server = _bound(self._address)
        self._server.set_app(self._app)
        threading.Thread(
            target=self._server.serve_forever, args=(_STOP_CHECK_SECONDS,), name="admin", daemon=True
        ).start()
        _log.info("admin endpoint", url=self.url)

    @property
    def port(self) -> int:
        """The port in use, after :meth:`start`."""
        if self._server is None:
            raise RuntimeError("the admin server is not started")
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where it answers, after :meth:`start`."""
        return f"http://{HostPort(host_and_port(self._address).host, self.port)}"

    def close(self) -> None:
        """Stop listening. Closing twice, or without a start, is allowed."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


def require_free(address: str) -> None:
    """Raise AdminError if a job could not listen on the address."""
    _bound(address).server_close()


def _bound(address: str) -> _Server:
    host, port = host_and_port(address)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, _, _, _, resolved = found[0]
        return _Server(family, resolved)
    except OSError as error:
        raise AdminError(_unusable(address, error)) from None


def _unusable(address: str, error: OSError) -> str:
    setting = f"LPA_ADMIN_ADDRESS={address}"
    if error.errno == errno.EADDRINUSE:
        return f"{setting} is in use by another program: set it to a free port; every worker needs one of its own"
    return f"{setting} cannot be listened on ({error.strerror}): set it to an address of this machine and a free port"


class _RequestHandler(WSGIRequestHandler):
    server_version, sys_version = "lpa", ""
    timeout = 10
    """Seconds a client may keep a thread waiting for its next bytes."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a line for every scrape helps nobody."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, family: socket.AddressFamily, address: Any) -> None:
        self.address_family = family
        self._open: dict[socket.socket, None] = {}
        self._opening = threading.Lock()
        super().__init__(address[:2], _RequestHandler)

    def server_bind(self) -> None:
        # Instead of the base class, which asks the name service for the host's full name, and waits for it.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._opening:
            self._open[request] = None
            longest = next(iter(self._open)) if len(self._open) > _MOST_CONNECTIONS else None
            if longest is not None:
                # A request takes milliseconds: who has been there longest sends slowly, or nothing.
                del self._open[longest]
                with suppress(OSError):
                    longest.shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._opening:
            self._open.pop(request, None)
        # A socket closed over unread bytes resets the connection, and the client loses the answer that says why its
        # request was turned down.
        with suppress(OSError):
            request.shutdown(socket.SHUT_WR)
            request.settimeout(_LINGER_SECONDS)
            left = _LINGER_BYTES
            while left > 0 and (read := request.recv(left)):
                left -= len(read)
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("connection lost", client=client_address[0], reason=str(sys.exc_info()[1]))
