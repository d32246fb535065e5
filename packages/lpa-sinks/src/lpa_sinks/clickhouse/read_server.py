"""The read socket of an embedded database, offered by the process that has the database open.

One process can have an embedded database open. It runs the statements of the others, over a Unix socket in the
database's folder, in the form in which clickhouse-connect sends them to a server. They can only read, a few at a time,
within limits of time and memory.
"""

from __future__ import annotations

import re
import socketserver
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from email import message_from_bytes
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final, final
from urllib.parse import parse_qsl, urlsplit

import structlog

from lpa_core.errors import LpaError, UsageError
from lpa_sinks.clickhouse.answers import SUMMARY
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.read_only import require_reading
from lpa_sinks.clickhouse.read_socket import GIVE_WAY, NAME, address_in

_AT_ONCE: Final = 2
_WAIT_SECONDS: Final = 10
_MOST_SECONDS: Final = 20
"""For a statement: who closes the database waits for it."""
_LIMITS: Final = {"max_memory_usage": 1 << 30, "max_threads": 2}
"""What a statement may take from the process that ingests: a gigabyte of memory and two threads."""
_RESULT_BYTES: Final = 1 << 26
_BODY_BYTES: Final = 1 << 20
_IDLE_SECONDS: Final = 60
_FORMAT: Final = re.compile(r"\s+FORMAT\s+(\w+)\s*$")
_SETTING: Final = re.compile(r"[a-z][a-z0-9_]*")
_CODE: Final = re.compile(r"Code: (\d+)")
_OF_THE_TRANSPORT: Final = frozenset(
    {
        *("query", "database", "session_id", "session_timeout", "session_check", "query_id", "wait_end_of_query"),
        *("client_protocol_version", "enable_http_compression", "send_progress_in_http_headers"),
        *("http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close"),
    }
)

_log = structlog.get_logger("lpa.sinks.clickhouse")
_lock: Final = threading.Lock()
_sockets: Final[dict[Path, _ReadSocket]] = {}
"""Of this process, by folder."""


@final
class ReadServer:
    """Offers reads of the embedded database in a folder, which this process has open, until it is closed.

    A process may have several of one folder, as it may have several clients: they share a socket, which is there until
    the last is closed. A folder that cannot hold a socket gets a line in the log and no reads: ingestion goes on
    without them.
    """

    def __init__(self, folder: Path, give_way: Callable[[], None] | None = None) -> None:
        """``give_way`` closes the database for a process that wants to open it; without it nobody is given way to."""
        self._folder, self.give_way = folder, give_way
        self._socket: _ReadSocket | None = None

    def start(self) -> None:
        with _lock:
            folder = self._folder.resolve()
            offered = _sockets.get(folder)
            try:
                self._socket = offered or _ReadSocket(folder)
            except OSError as error:
                path = self._folder / NAME
                _log.warning(
                    "no other process can read the embedded database meanwhile", path=str(path), reason=str(error)
                )
                return
            _sockets[folder] = self._socket
            self._socket.holders.append(self)

    def close(self) -> None:
        """Take the socket away, and wait until statements under way are answered. Closing twice is allowed.

        While the process has another read server of the folder, nothing ends.
        """
        with _lock:
            offered, self._socket = self._socket, None
            if offered is None:
                return
            offered.holders.remove(self)
            if offered.holders:
                return
            del _sockets[offered.folder]
            offered.take_away()
        offered.end()


@final
class _ReadSocket:
    """The read socket of this process for a folder. Raises OSError if there can be none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.holders: list[ReadServer] = []
        self._turns = threading.Semaphore(_AT_ONCE)
        self._ended = False
        # A killed process leaves its socket. No other has the database open, so no other listens there.
        path = folder / NAME
        with address_in(folder) as address:
            path.unlink(missing_ok=True)
            self._server = _Server(address, _handler(self))
        try:
            path.chmod(0o600)
            self._number = path.stat().st_ino  # another process may put its own in its place
        except OSError:
            self._server.server_close()
            raise
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="reads", daemon=True).start()

    def take_away(self) -> None:
        self._ended = True
        path = self.folder / NAME
        with suppress(OSError):
            if path.stat().st_ino == self._number:
                path.unlink()

    def end(self) -> None:
        """Wait until statements under way are answered."""
        # It looks up ten times a second; nobody has to wait for that.
        threading.Thread(target=self._server.end, daemon=True).start()
        deadline = time.monotonic() + _MOST_SECONDS
        held = [self._turns.acquire(timeout=max(0, deadline - time.monotonic())) for _ in range(_AT_ONCE)]
        self._turns.release(held.count(True) or 1)

    def given_way(self) -> bool:
        """Close the database for another process. False if somebody in this process does not do that."""
        with _lock:
            asked = [holder.give_way for holder in self.holders]
        if not all(asked):
            return False
        for give_way in asked:
            if give_way is not None:
                give_way()
        return True

    def run(self, statement: str, parameters: dict[str, str]) -> tuple[str, bytes]:
        """The format and the bytes of a statement's result.

        Raises RuntimeError with ClickHouse's code, and ConnectionAbortedError if there are no reads any more.
        """
        named = _FORMAT.search(statement)
        try:
            require_reading(statement[: named.start()] if named else statement)
        except UsageError as refused:
            raise RuntimeError(f"Code: 164. DB::Exception: {refused} (READONLY)") from None
        if not self._turns.acquire(timeout=_WAIT_SECONDS):
            if self._ended:
                raise ConnectionAbortedError
            raise RuntimeError("Code: 202. DB::Exception: others read (TOO_MANY_SIMULTANEOUS_QUERIES)")
        try:
            if self._ended:
                raise ConnectionAbortedError
            return self._result(statement, named[1] if named else "TabSeparated", parameters)
        finally:
            self._turns.release()

    def _result(self, statement: str, form: str, parameters: dict[str, str]) -> tuple[str, bytes]:
        import chdb  # here, and not for everybody who imports the sink: it takes a second

        bound = {name[6:]: value for name, value in parameters.items() if name.startswith("param_")}
        with closing(chdb.connect(str(self.folder))) as session:
            for name, value in _settings(parameters).items():
                session.query(f"SET {name} = {_literal(value)}")
            if parameters.get("database"):
                session.query(f"USE {quoted(parameters['database'])}")
            # With 2, SETTINGS of the statement lift the limits, and it reads and writes files of this process.
            session.query("SET readonly = 1")
            result = bytes(session.query(statement, form, params=bound).bytes())
        if len(result) > _RESULT_BYTES:
            raise RuntimeError("Code: 396. DB::Exception: the result is too long (TOO_MANY_ROWS_OR_BYTES)")
        return form, result


def _settings(parameters: dict[str, str]) -> dict[str, str]:
    wanted = {
        name: value
        for name, value in parameters.items()
        if name not in _OF_THE_TRANSPORT and name != "readonly" and not name.startswith("param_")
    }
    if not all(map(_SETTING.fullmatch, wanted)):
        raise RuntimeError("Code: 115. DB::Exception: a setting has no such name (UNKNOWN_SETTING)")
    seconds = wanted.get("max_execution_time", "")
    most = min(int(seconds), _MOST_SECONDS) if re.fullmatch("[1-9][0-9]{0,8}", seconds) else _MOST_SECONDS
    return wanted | {name: str(value) for name, value in _LIMITS.items()} | {"max_execution_time": str(most)}


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _fields(content_type: str, body: bytes) -> dict[str, str]:
    """The statement and its parameters in a form."""
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return {
        str(part.get_param("name", header="Content-Disposition")): bytes(part.get_payload(decode=True)).decode()
        for part in message.walk()
        if not part.is_multipart()
    }


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def end(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("a reader's connection was lost", exc_info=True)


def _handler(reads: _ReadSocket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _IDLE_SECONDS

        def do_POST(self) -> None:
            length = self.headers["Content-Length"] or "0"
            if not length.isdecimal() or int(length) > _BODY_BYTES:
                self.close_connection = True
                self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"", {})
                return
            body = self.rfile.read(int(length))
            if self.path == GIVE_WAY:
                self.close_connection = True
                self._send(HTTPStatus.OK if reads.given_way() else HTTPStatus.CONFLICT, b"", {})
                return
            try:
                form, result = reads.run(*self._statement(body))
            except ConnectionAbortedError:
                self.close_connection = True
            except (RuntimeError, ValueError, LpaError) as error:
                code = _CODE.search(str(error))
                told = f"Code: {code[1] if code else 1002}. DB::Exception: " + str(error).rpartition("Exception: ")[2]
                headers = {"X-ClickHouse-Exception-Code": code[1] if code else "1002"}
                self._send(HTTPStatus.INTERNAL_SERVER_ERROR, told.encode(), headers)
            else:
                self._send(HTTPStatus.OK, result, {"X-ClickHouse-Format": form, "X-ClickHouse-Timezone": "UTC"})

        def _statement(self, body: bytes) -> tuple[str, dict[str, str]]:
            parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            if self.headers.get_content_type() == "multipart/form-data":
                parameters |= _fields(self.headers["Content-Type"], body)
                body = b""
            return body.decode() or parameters.get("query", ""), parameters

        def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
            self.send_response_only(status)
            for name, value in {**headers, SUMMARY: "{}", "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the line would have what was asked in it."""

    return Handler
