"""Clients that send nothing, or slowly, keep nobody out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lpa_ops.web.connections import PatientProtocol
from lpa_ops.web.server import WebServer

WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SLOW = {
    "nothing": b"",
    "half a request line": b"GET / HT",
    "half of the headers": b"GET / HTTP/1.1\r\nHost: x\r\nX: ",
    "half of a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na=",
    "half of a body that nobody reads": b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na=",
    "a chunk of many": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
}

Connect = Callable[[bytes], socket.socket]


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    async def answer(request: Request) -> PlainTextResponse:
        if request.url.path == "/":
            with suppress(ClientDisconnect):
                await request.body()
        return PlainTextResponse("answered")

    methods = ["GET", "POST"]
    app = Starlette(routes=[Route("/", answer, methods=methods), Route("/early", answer, methods=methods)])
    server = WebServer(app, "127.0.0.1:0", name="test", setting="LPA_SERVE_ADDRESS")
    serving = threading.Thread(target=server.run)
    serving.start()
    yield server
    server.stop()
    serving.join(30)


@pytest.fixture
def connect(server: WebServer) -> Iterator[Connect]:
    port = int(server.url.rpartition(":")[2])
    with ExitStack() as opened:

        def connect(sent: bytes) -> socket.socket:
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(sent)
            return connection

        yield connect


def rest(connection: socket.socket) -> bytes:
    """All that still comes until the other side ends the connection."""
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
    except ConnectionResetError:
        pass
    return found


def is_answered(connection: socket.socket) -> bool:
    found = b""
    while not found.endswith(b"answered") and (part := connection.recv(65_536)):
        found += part
    return found.startswith(b"HTTP/1.1 200") and found.endswith(b"answered")


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_a_request_that_is_not_whole_in_time_is_ended(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(PatientProtocol, "request_seconds", 0.1)
    assert (b"answered" in rest(connect(sent))) is (b"/early" in sent)


def test_the_second_request_of_a_connection_has_its_own_time(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "request_seconds", 0.2)
    connection = connect(WHOLE)
    assert is_answered(connection)
    time.sleep(0.25)
    connection.sendall(WHOLE)
    assert is_answered(connection), "between two requests uvicorn waits"
    connection.sendall(WHOLE[:-1])
    assert rest(connection) == b""


def test_sending_a_byte_now_and_then_does_not_win_time(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "request_seconds", 0.3)
    slow, ended = connect(b"GET / HTTP/1.1\r\nX: "), threading.Event()

    def drip() -> None:
        while not ended.wait(0.02):
            try:
                slow.sendall(b"x")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    assert b"answered" not in rest(slow)
    ended.set()
    dripping.join()


def test_of_too_many_the_one_goes_that_waited_longest(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "most_connections", 8)
    slow = [connect(b"GET / HTTP/1.1\r\nX: ") for _ in range(20)]
    assert is_answered(connect(WHOLE))
    for each in slow[:13]:
        assert rest(each) == b""
    slow[19].sendall(b"\r\n\r\n")
    assert slow[19].recv(1_000).startswith(b"HTTP/1.1 400"), "it is still served, if only to be told of its fault"


def test_requests_one_after_another_on_a_connection_are_all_answered(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "request_seconds", 5)
    connection = connect(WHOLE * 3 + WHOLE[:10])
    connection.sendall(WHOLE[10:-4] + b"\r\nConnection: close\r\n\r\n")
    assert rest(connection).count(b"answered") == 4
