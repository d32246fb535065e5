"""Clients that send nothing, or slowly, take neither threads nor files that the worker needs, and keep nobody out."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
from prometheus_client import CollectorRegistry

from lpa_core.admin.server import AdminServer
from lpa_core.testing.administered_job import JobDouble


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nX: ",
        *(
            pytest.param(sent, marks=pytest.mark.slow)
            for sent in (b"", b"GET / HT", b"POST /tap HTTP/1.1\r\nContent-Length: 9\r\n\r\nx")
        ),
    ],
)
def test_of_too_many_the_one_goes_that_has_been_there_longest(sent: bytes) -> None:
    server = AdminServer("127.0.0.1:0", "", JobDouble(), CollectorRegistry())
    server.start()
    before = threading.active_count()
    with ExitStack() as opened:
        slow = []
        for _ in range(150):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            connection.sendall(sent)
            slow.append(connection)
        asking = HTTPConnection("127.0.0.1", server.port, timeout=10)
        asking.request("GET", "/healthz")
        assert asking.getresponse().status == 200
        asking.close()
        for each in slow[:80]:
            assert each.recv(100) == b"", "it has ended"
        assert threading.active_count() - before < 75
    server.close()
