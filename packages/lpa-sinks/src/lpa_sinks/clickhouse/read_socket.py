"""The read socket of an embedded database, seen from a process that does not have the database open."""

from __future__ import annotations

import http.client
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast, final
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed
from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection

NAME: Final = "lpa-reads.sock"
"""The socket's name in the folder of the database. Who may not use the folder may not use the socket either."""
GIVE_WAY: Final = "/give-way"
"""What a process asks that wants to open the database itself."""
GIVE_WAY_SECONDS: Final = 30
"""How long a reader takes to close the database: longer than the statements that it runs by then."""

_ADDRESS_BYTES: Final = 100
"""What every system takes for the address of a Unix socket; Linux takes 107 bytes, macOS 103."""
_CONNECT_SECONDS: Final = 2
_patient: Final = Retrying(
    # A Unix socket refuses at once while many others wait for their connection.
    retry=retry_if_exception_type(BlockingIOError),
    stop=stop_after_delay(_CONNECT_SECONDS),
    wait=wait_fixed(0.02),
    reraise=True,
)


@contextmanager
def address_in(folder: Path) -> Iterator[str]:
    """The address of the read socket, short enough for a socket. Raises OSError if the folder cannot be opened."""
    address = str(folder / NAME)
    if len(os.fsencode(address)) <= _ADDRESS_BYTES or not sys.platform.startswith("linux"):
        yield address
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


def connected(folder: Path, seconds: float) -> socket.socket:
    """A connection to the read socket. Raises OSError if no process offers one."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_CONNECT_SECONDS)
        with address_in(folder) as address:
            _patient(connection.connect, address)
        connection.settimeout(seconds)
    except OSError:
        connection.close()
        raise
    return connection


def reads_are_offered(folder: Path) -> bool:
    """Whether a process takes statements for the database in the folder."""
    try:
        connected(folder, _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def read_client(folder: Path, seconds: int) -> Client:
    """A client that asks the process which has the database open. It can only read.

    Raises ClickHouseError if no process offers it.
    """
    client = clickhouse_connect.get_client(
        interface="http",
        host="localhost",
        port=80,
        username="default",
        client_name="lpa",
        compress=False,
        autogenerate_session_id=False,
        send_receive_timeout=seconds,
        query_retries=0,
        pool_mgr=cast(PoolManager, _Pools(folder, seconds)),
    )
    # It was told that a read-only session takes none. The read server takes them before it makes the session so.
    client.server_settings.clear()
    return client


def ask_to_give_way(folder: Path) -> bool:
    """Ask a process that only reads to close the database. Whether it has closed it."""
    try:
        with closing(_Connection("localhost", folder=folder, seconds=GIVE_WAY_SECONDS)) as connection:
            connection.request("POST", GIVE_WAY, b"", {"Content-Length": "0"})
            return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False


@final
class _Connection(HTTPConnection):
    """HTTP over the read socket, whatever host is named."""

    def __init__(self, host: str, port: int | None = None, *, folder: Path, seconds: float, **options: Any) -> None:
        super().__init__(host, port, **options)
        self._folder, self._seconds = folder, seconds

    def _new_conn(self) -> socket.socket:
        return connected(self._folder, self._seconds)


@final
class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


@final
class _Pools:
    """The part of a PoolManager that clickhouse-connect uses."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._made = partial(_Pool, "localhost", 80, maxsize=1, folder=folder, seconds=seconds)
        self._pool = self._made()

    def clear(self) -> None:
        """Let go of all connections: called after one was lost, too."""
        self._pool.close()
        self._pool = self._made()

    def request(self, method: str, url: str, **options: Any) -> Any:
        parts = urlsplit(url)
        return self._pool.request(method, f"{parts.path or '/'}?{parts.query}", **options)
