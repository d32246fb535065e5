"""Reads for a process that runs on, of a server or of an embedded database that others may open meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar, final

import attrs
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError

from lpa_core.settings.settings import Settings
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_sinks.clickhouse.client import Endpoint, connect
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.embedded import holder_of, open_to_read
from lpa_sinks.clickhouse.opening_lock import opened_by_a_reader
from lpa_sinks.clickhouse.read_server import ReadServer
from lpa_sinks.clickhouse.read_socket import GIVE_WAY_SECONDS, read_client, reads_are_offered

_WAIT_SECONDS: Final = 10
"""How long a read waits for a process that opens the database, or has it open and offers no reads, or not yet."""
_LOOK_AGAIN_SECONDS: Final = 0.05

T = TypeVar("T")


@contextmanager
def readers_of(uri: str | None, settings: Settings) -> Iterator[tuple[Readers, str]]:
    """Readers of a database and its name, also while another process has the embedded database open.

    Raises SinkMisconfigured. What reads raises that too if there is no embedded database, and SinkUnavailable.
    """
    found = endpoint_of(uri, settings)
    with closing(Readers(found, settings.clickhouse.password, settings.clickhouse.sink_timeout_seconds)) as readers:
        yield readers, found.database


@contextmanager
def opened_for_reading(uri: str | None, settings: Settings) -> Iterator[tuple[Client, str]]:
    """A client of such readers and the database's name.

    Raises SinkMisconfigured, also if there is no embedded database, and SinkUnavailable.
    """
    with readers_of(uri, settings) as (readers, database), readers.client() as client:
        yield client, database


@final
@attrs.define(eq=False)
class _Route:
    """A way to the database: it changes when an embedded one changes hands."""

    connect: Callable[[], Client]
    server: ReadServer | None = None
    """While this process has the database open."""
    idle: list[Client] = attrs.field(factory=list)
    in_use: int = 0


@final
class Readers:
    """Clients that only read, each used by one thread at a time.

    Reads of the embedded database go through the process that has it open. If there is none, this process opens it,
    offers reads itself, and closes it as soon as another process wants to open it.
    """

    def __init__(self, endpoint: Endpoint, password: str, seconds: int) -> None:
        """Connects to nothing yet. A database that says nothing for ``seconds`` counts as one that does not answer."""
        self._endpoint, self._password, self._seconds = endpoint, password, seconds
        self._changed = threading.Condition()
        self._route: _Route | None = None

    def run(self, action: Callable[[Client], T]) -> T:
        """What the action makes of a client. It runs again whenever the process that had the database open has ended.

        Raises SinkMisconfigured, SinkUnavailable, and what the action raises.
        """
        deadline = None
        while True:
            try:
                with self.client() as client:
                    return action(client)
            except (OperationalError, SinkUnavailable) as error:
                deadline = deadline or time.monotonic() + _WAIT_SECONDS
                if not self._has_changed_hands(error) or time.monotonic() > deadline:
                    raise
            time.sleep(_LOOK_AGAIN_SECONDS)

    def close(self) -> None:
        """Close all clients, when they are no longer used. Closing twice is allowed."""
        with self._changed:
            route, self._route = self._route, None
            if route is None:
                return
            self._close_idle(route)
            self._changed.wait_for(lambda: not route.in_use, timeout=GIVE_WAY_SECONDS)
        if route.server is not None:
            route.server.close()

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client for one thread. Raises SinkMisconfigured, SinkUnavailable."""
        with self._changed:
            route, client = self._taken()
            route.in_use += 1
        try:
            yield client
        except (OperationalError, SinkUnavailable) as error:
            with self._changed:
                if self._route is route and route.server is None and _lost(error):
                    self._route = None
                    self._close_idle(route)
            raise
        finally:
            with self._changed:
                route.in_use -= 1
                if route is self._route:
                    route.idle.append(client)
                else:
                    client.close()
                self._changed.notify_all()

    def _taken(self) -> tuple[_Route, Client]:
        """A route and a client of it. If the holder ends between the look and the connection, it looks again."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            route = self._route = self._route or self._found()
            try:
                return route, route.idle.pop() if route.idle else route.connect()
            except OperationalError as error:
                if route.server is not None or not self._has_changed_hands(error):
                    raise
                self._route = None
                if time.monotonic() > deadline:
                    raise
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _has_changed_hands(self, error: Exception) -> bool:
        """Whether the connection to the holder was lost; an answer of the database has a code."""
        lost = _lost(error)
        return self._endpoint.path is not None and lost is not None and getattr(lost, "code", None) is None

    def _close_idle(self, route: _Route) -> None:
        while route.idle:
            route.idle.pop().close()

    def _found(self) -> _Route:
        path = self._endpoint.path
        if path is None:
            return _Route(lambda: connect(self._endpoint, self._password, self._seconds))
        if not path.exists():
            raise SinkMisconfigured(
                f"{path}: there is no embedded database yet: `lpa ingest FILE` or `lpa schema apply` makes one"
            )
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            if reads_are_offered(path):
                return _Route(lambda: read_client(path, self._seconds))
            holder = holder_of(path)
            if not holder:
                with opened_by_a_reader(path) as free:
                    if free and not holder_of(path):
                        return self._opened(path)
            if time.monotonic() > deadline:
                raise SinkUnavailable(
                    f"{path}: the embedded database is open in {holder or 'another process'}, which offers no reads: "
                    "ask again when it has ended"
                )
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _opened(self, path: Path) -> _Route:
        """The way through this process."""
        client = open_to_read(path)
        server = ReadServer(path, self.close)
        server.start()
        return _Route(lambda: open_to_read(path), server, [client])


def _lost(error: Exception) -> OperationalError | None:
    """What the driver raised, also where a policy of retries has put it into words."""
    found = error.__cause__ if isinstance(error, SinkUnavailable) else error
    return found if isinstance(found, OperationalError) else None
