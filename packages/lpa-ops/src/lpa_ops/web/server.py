"""Serves an application on an address, until it is stopped."""

from __future__ import annotations

import errno
import socket
import threading
from contextlib import ExitStack
from typing import Final, final

import structlog
import uvicorn
from starlette.types import ASGIApp

from lpa_core.errors import ConfigurationError
from lpa_core.uris import HostPort, host_and_port
from lpa_ops.web.connections import PatientProtocol

_BACKLOG: Final = 128
_STOP_SECONDS: Final = 10
"""How long requests under way have when the server stops."""

_log = structlog.get_logger("lpa.serve")


class ServeError(ConfigurationError):
    """An application cannot be served. The message names the setting and the remedy, in one line."""


@final
class WebServer:
    """An application on an address. ``stop`` may be called from any thread."""

    def __init__(self, app: ASGIApp, address: str, *, name: str, setting: str, lifespan: bool = False) -> None:
        """Listens at once.

        Args:
            address: host:port, with port 0 for any that is free.
            name: of the application, for its line in the log.
            setting: that gave the address, for messages.
            lifespan: whether the application has something to do before the first request and after the last.

        Raises ServeError if the address cannot be listened on.
        """
        self._name = name
        self._socket = _listening(address, setting)
        self.url = f"http://{HostPort(host_and_port(address).host, self._socket.getsockname()[1])}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                ws="none",
                lifespan="on" if lifespan else "off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_STOP_SECONDS,
            )
        )

    def run(self) -> None:
        """Serve until stopped."""
        # uvicorn takes the signals of the main thread to itself; a command of lpa has an end of its own.
        thread = threading.Thread(target=self._server.run, args=([self._socket],), name="serve")
        thread.start()
        _log.info(self._name, url=self.url)
        thread.join()

    def stop(self) -> None:
        self._server.should_exit = True


def _listening(address: str, variable: str) -> socket.socket:
    host, port = host_and_port(address)
    try:
        family, kind, protocol, _, resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as opened:
            listener = opened.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(resolved)
            listener.listen(_BACKLOG)
            opened.pop_all()
        return listener
    except OSError as error:
        setting = f"{variable}={address}"
        if error.errno == errno.EADDRINUSE:
            raise ServeError(f"{setting} is in use by another program: set it to a free port") from None
        raise ServeError(
            f"{setting} cannot be listened on ({error.strerror}): set it to an address of this machine and a free port"
        ) from None
