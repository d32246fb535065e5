"""Where the read API is offered, and to whom."""

from __future__ import annotations

import http.client
import socket
import threading
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from lpa_ops.read_api.access import token_of
from lpa_ops.read_api.app import read_api
from lpa_ops.read_api.database import StoredRows
from lpa_ops.web.server import ServeError, WebServer
from lpa_sinks.clickhouse.client import endpoint
from lpa_sinks.clickhouse.readers import Readers

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("address", ["127.0.0.1:8090", "localhost:1", "[::1]:8090"])
def test_this_machine_may_read_without_a_token(address: str) -> None:
    assert token_of(address, "") == ""
    assert token_of(address, TOKEN) == TOKEN


@pytest.mark.parametrize("address", ["0.0.0.0:8090", "[::]:8090", "example.org:80", "10.0.0.1:1"])
def test_other_machines_read_only_if_somebody_said_so(address: str) -> None:
    with pytest.raises(ServeError, match=r"can be reached from other machines: set LPA_SERVE_TOKEN, or .*=anybody"):
        token_of(address, "")
    assert token_of(address, TOKEN) == TOKEN
    assert token_of(address, "anybody") == ""


@pytest.fixture
def app() -> Starlette:
    """Over a server that is not there."""
    return read_api(StoredRows(Readers(endpoint("http://127.0.0.1:9/x", database="x", user="u"), "", 1), "x", 1), "")


def test_it_serves_until_it_is_stopped(app: Starlette) -> None:
    server = WebServer(app, "127.0.0.1:0", name="read API", setting="LPA_SERVE_ADDRESS")
    serving = threading.Thread(target=server.run)
    serving.start()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request("GET", "/openapi.json")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("server")) == (200, None)
    answer.read()
    connection.close()
    server.stop()
    serving.join(30)
    assert not serving.is_alive()


def test_an_address_that_is_taken_is_told(app: Starlette) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ServeError, match=f"^LPA_SERVE_ADDRESS={address} is in use by another program: set it to"):
            WebServer(app, address, name="read API", setting="LPA_SERVE_ADDRESS")
    with pytest.raises(ServeError, match="cannot be listened on"):
        WebServer(app, "192.0.2.1:80", name="read API", setting="LPA_SERVE_ADDRESS")
