"""A server for tests: what clickhouse-connect speaks over HTTP, in front of the embedded engine.

It knows queries and Native inserts, settings and parameters (in the URL or in the fields of a form), sessions,
compression, logins, pings and errors with their codes, and can be told to fail. What is longer than servers and what
stands before them take is refused: a URL of more than 8 KB (nginx's ``large_client_header_buffers``), a field of more
than 128 KiB (``http_max_field_value_size``).

Its answers have the headers, and the order of headers, that a server sends: ``HTTPHandler::handleRequest`` and
``processQuery`` and ``WriteBufferFromHTTPServerResponse::finishSendHeaders`` in ClickHouse's ``src/Server``. Answers of
real servers to compare with are in the tests of lpa-sinks (``recorded_answers.txt``).
"""

from __future__ import annotations

import gzip
import os
import re
import tempfile
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import attrs
import chdb
import lz4.frame  # type: ignore[import-untyped]  # it has no types

USER, PASSWORD = "a_user", "a password"

_REMEMBERED = 1_000
_URL_BYTES = 8_192
_FIELD_BYTES = 131_072

_SUMMARY = (
    '{"read_rows":"0","read_bytes":"0","written_rows":"0","written_bytes":"0",'
    '"total_rows_to_read":"0","result_rows":"0","result_bytes":"0","elapsed_ns":"1"}'
)

_INSERT = re.compile(rb"(INSERT INTO .*?) FORMAT Native\n", re.DOTALL)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*$")
_CODE = re.compile(r"Code: (\d+)")
_TRANSPORT = {
    *("query", "database", "session_id", "session_timeout", "session_check", "query_id", "wait_end_of_query"),
    *("client_protocol_version", "enable_http_compression", "send_progress_in_http_headers"),
    *("http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close"),
}


@final
@attrs.frozen
class Fault:
    """What happens to the next statement that contains ``statement``.

    ``code`` is ClickHouse's error, None for an error of a proxy in between. With ``applied`` the statement is
    carried out first; with ``silent`` the connection is closed instead of answered. It hangs for ``seconds`` before any
    of this, and with ``dies`` the process ends instead of answering. One that is applied and has the status 200 is but
    slow. ``answer`` is sent instead of any, byte for byte (as Latin-1); of ClickHouse's own answer ``cut`` bytes are
    sent, and the connection is closed.
    """

    statement: str
    code: int | None = None
    status: int = 500
    applied: bool = False
    silent: bool = False
    seconds: float = 0
    dies: bool = False
    answer: str = ""
    cut: int | None = None
    text: str = "as told"
    """What comes with the code."""


@final
class Front:
    def __init__(self, engine_path: Path, port: int = 0) -> None:
        self._path = engine_path
        self._configuration = files("lpa_sinks.clickhouse").joinpath("embedded.xml")
        self._lock = threading.Lock()
        self._lock_running = threading.Lock()
        self._sessions: dict[str, Any] = {}
        self._turn = 0
        self._running: list[dict[str, str]] = []
        """The parameters of the statements under way."""
        self.faults: list[Fault] = []
        self.profile: dict[str, str] = {}
        """Settings that every session begins with."""
        self.statements: deque[str] = deque(maxlen=_REMEMBERED)
        """Beginnings of the statements that arrived last."""
        self.servers = 1
        """How many servers are behind it: each takes the next statement, and has temporary tables of its own."""
        self.urls: deque[str] = deque(maxlen=_REMEMBERED)
        """The URLs of the requests that arrived last."""
        self.logins: deque[str] = deque(maxlen=_REMEMBERED)
        """What each of them had for a login."""
        self.parameters: deque[dict[str, str]] = deque(maxlen=_REMEMBERED)
        """What came with each of them: its settings, parameters and session."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @contextmanager
    def serving(self) -> Iterator[Front]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
            for session in self._sessions.values():
                session.close()

    def arrived(self, statement: str, parameters: dict[str, str]) -> Fault | None:
        """Take note of a statement, and return what is to go wrong with it."""
        self.statements.append(statement[:200])
        self.parameters.append(parameters)
        for fault in self.faults:
            if fault.statement in statement:
                self.faults.remove(fault)
                return fault
        return None

    @contextmanager
    def running(self, parameters: dict[str, str]) -> Iterator[None]:
        """Keep account of a statement under way. Raises RuntimeError if its session has another one."""
        session = parameters.get("session_id")
        with self._lock_running:
            if session and any(other.get("session_id") == session for other in self._running):
                raise RuntimeError(f"Code: 373. DB::Exception: Session {session} is locked (SESSION_IS_LOCKED)")
            self._running.append(parameters)
        try:
            yield
        finally:
            with self._lock_running:
                self._running.remove(parameters)

    def _processes(self) -> str:
        """What stands for system.processes: the embedded engine knows no ids of statements."""
        ids = ", ".join(_literal(parameters.get("query_id", "")) for parameters in self._running)
        return f"(SELECT arrayJoin([{ids}]::Array(String)) AS query_id)"

    def run(self, body: bytes, parameters: dict[str, str]) -> tuple[str, bytes]:
        """The answer's format, empty for a statement without one, and its bytes. Raises RuntimeError."""
        bound = {name[6:]: value for name, value in parameters.items() if name.startswith("param_")}
        settings = {k: v for k, v in parameters.items() if k not in _TRANSPORT and not k.startswith("param_")}
        with self._lock:
            reading = "readonly" in settings  # what is read-only cannot be made otherwise
            session = self._new_session() if reading else self._session(parameters.get("session_id", ""))
            if reading and parameters.get("database"):
                session.query(f"USE {parameters['database']}")
            insert = _INSERT.match(body)
            if insert:
                return "", self._insert(session, insert[1].decode(), body[insert.end() :], settings)
            # A server judges the settings of a request all together, by what was in force before.
            for name, value in sorted(settings.items(), key=lambda each: each[0] == "readonly"):
                session.query(f"SET {name} = {_literal(value)}")
            statement = (body.decode() or parameters["query"]).replace("system.processes", self._processes())
            named = _FORMAT.search(statement)
            try:
                answer = session.query(statement, named[1] if named else "TabSeparated", params=bound).bytes()
            finally:
                if reading:
                    session.close()
                for name in () if reading else settings:
                    before = _literal(self.profile[name]) if name in self.profile else "DEFAULT"
                    session.query(f"SET {name} = {before}")
            kind = named[1] if named else "TabSeparated" if answer else ""
            return kind, answer

    def _session(self, name: str) -> Any:
        self._turn += 1
        name = f"{name}@{self._turn % self.servers}"
        if name not in self._sessions:
            self._sessions[name] = self._new_session()
        return self._sessions[name]

    def _new_session(self) -> Any:
        session = chdb.connect(f"{self._path.resolve()}?config-file={self._configuration}")
        for setting, value in self.profile.items():
            session.query(f"SET {setting} = {_literal(value)}")
        return session

    def _insert(self, session: Any, insert: str, rows: bytes, settings: dict[str, str]) -> bytes:
        clause = ", ".join(f"{name} = {_literal(value)}" for name, value in settings.items())
        with tempfile.NamedTemporaryFile() as file:
            file.write(rows)
            file.flush()
            session.query(f"{insert} FROM INFILE '{file.name}' SETTINGS {clause} FORMAT Native")
        return b""


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form that ClickHouse reads: the statement and its parameters, and nothing else.

    Raises RuntimeError for a field that is too long.
    """
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields = {
        str(part.get_param("name", header="Content-Disposition")): bytes(part.get_payload(decode=True)).decode()
        for part in message.walk()
        if not part.is_multipart()
    }
    if any(len(value.encode()) > _FIELD_BYTES for value in fields.values()):
        raise RuntimeError("Code: 1000. DB::Exception: HTML Form Exception: Field value too long (POCO_EXCEPTION)")
    return {name: value for name, value in fields.items() if name == "query" or name.startswith("param_")}


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    login = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        cut: int | None = None
        query_id = ""

        def do_GET(self) -> None:
            """Reply to a ping as a server does to everybody."""
            self._arrived()
            known = urlsplit(self.path).path == "/ping"
            self._send(
                200 if known else 404, b"Ok.\n" if known else b"There is no handle\n", {"Connection": "Keep-Alive"}
            )

        def _arrived(self) -> None:
            front.urls.append(self.path)
            front.logins.append(self.headers["Authorization"] or "")

        def do_POST(self) -> None:
            self.cut = None
            self.query_id = ""
            self._arrived()
            try:
                body = self._body()
            except RuntimeError:
                self._fail(400, 618, "Cannot decompress (LZ4_DECODER_FAILED)")
                return
            if len(self.path) > _URL_BYTES:
                self._stand_between(414)
                return
            parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            if self.headers.get_content_type() == "multipart/form-data":
                try:
                    parameters |= _form(self.headers["Content-Type"], body)
                except RuntimeError as error:
                    self._fail(500, 1000, str(error).partition("DB::Exception: ")[2])
                    return
                body = b""
            if body and "query" in parameters:
                # A statement whose data is the body, as ClickHouse takes it: one after the other.
                body = parameters.pop("query").encode() + b"\n" + body
            if self.headers["Authorization"] != login:
                self._fail(403, 516, "Authentication failed (AUTHENTICATION_FAILED)")
                return
            self.query_id = parameters.get("query_id") or str(uuid4())
            beginning = body[:2000].decode(errors="replace") or parameters["query"]
            fault = front.arrived(beginning, parameters)
            try:
                with front.running(parameters):
                    if fault is not None:
                        self.cut = fault.cut
                        time.sleep(fault.seconds)
                    if fault is not None and not fault.applied:
                        self._obey(fault)
                        return
                    kind, answer = front.run(body, parameters)
            except RuntimeError as error:
                code = _CODE.search(str(error))
                self._fail(500, int(code[1]) if code else 1002, str(error).partition("DB::Exception: ")[2])
                return
            if fault is not None and fault.status != 200:
                self._obey(fault)
            else:
                self._answer(200, answer, {"X-ClickHouse-Format": kind} if kind else {})

        def _obey(self, fault: Fault) -> None:
            if fault.dies:
                os._exit(1)
            if fault.silent:
                self.close_connection = True
            elif fault.answer:
                self.wfile.write(fault.answer.encode("latin-1"))
                self.close_connection = True
            elif fault.code is None:
                self._stand_between(fault.status)
            else:
                self._fail(fault.status, fault.code, fault.text)

        def _stand_between(self, status: int) -> None:
            """Reply as a proxy does that cannot reach ClickHouse."""
            page = f"<html><body>{HTTPStatus(status).phrase}</body></html>"
            self._send(status, page.encode(), {"Server": "nginx", "Content-Type": "text/html"})

        def _fail(self, status: int, code: int, text: str) -> None:
            told = f"Code: {code}. DB::Exception: {text} (version 26.5.1.1 (official build))\n"
            self._answer(status, told.encode(), {"X-ClickHouse-Exception-Code": str(code)})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            if self.query_id:
                headers = {"X-ClickHouse-Query-Id": self.query_id, **headers, "X-ClickHouse-Timezone": "UTC"}
            self._send(
                status,
                body,
                {
                    "Date": self.date_time_string(),
                    "Connection": "Keep-Alive",
                    "Content-Type": "text/plain; charset=UTF-8",
                    "X-ClickHouse-Server-Display-Name": "front",
                    "Transfer-Encoding": "chunked",
                    **headers,
                    "Keep-Alive": "timeout=30, max=9999",
                    "X-ClickHouse-Summary": _SUMMARY,
                },
            )

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            if headers.get("Transfer-Encoding") == "chunked":
                body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
            else:
                headers = headers | {"Content-Length": str(len(body))}
            lines = (f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{k}: {v}" for k, v in headers.items()))
            answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
            self.wfile.write(answer[: self.cut])
            if self.cut is not None:
                self.close_connection = True

        def _body(self) -> bytes:
            if self.headers["Transfer-Encoding"] == "chunked":
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                body = b"".join(parts)
            else:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            match self.headers["Content-Encoding"]:
                case "lz4":
                    return bytes(lz4.frame.decompress(body))
                case "gzip":
                    return gzip.decompress(body)
                case None:
                    return body
                case other:
                    raise AssertionError(f"unexpected compression {other}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
