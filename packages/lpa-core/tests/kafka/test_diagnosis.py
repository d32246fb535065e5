"""What is told of an address behind which no broker can be reached."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from lpa_core.delivery.consumer_group import BrokerUnavailable, ForbiddenError
from lpa_core.kafka import diagnosis
from lpa_core.kafka.admin import admin_client, explained
from lpa_core.kafka.diagnosis import diagnose
from lpa_core.settings.quality import QualitySettings
from lpa_core.settings.settings import Settings

Listen = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Begins a server that does with each connection what it is told; gives its address."""
    servers = []

    def start(serve: Callable[[socket.socket], None]) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serving(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                serve(connection)

        def run() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=serving, args=(connection,), daemon=True).start()

        threading.Thread(target=run, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in servers:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def http(connection: socket.socket) -> None:
    while (received := connection.recv(1024)) and b"\n" not in received:
        pass
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def closing(connection: socket.socket) -> None:
    connection.recv(4)


def silent(connection: socket.socket) -> None:
    while connection.recv(1024):
        pass


def told(address: str, **connection: str) -> str:
    found = diagnose(
        {"bootstrap.servers": address, **{name.replace("_", "."): value for name, value in connection.items()}}
    )
    assert found is not None
    return found.text


def test_failure_15_a_refused_connection_and_an_unknown_host_are_told_apart() -> None:
    assert "127.0.0.1:1: nobody listens (connection refused)" in told("127.0.0.1:1")
    assert "no-such-host.invalid cannot be resolved" in told("no-such-host.invalid:9092")


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_SSL"])
def test_failure_15_an_http_server_is_no_broker(listen: Listen, protocol: str) -> None:
    address = listen(http)
    assert f"{address} is an HTTP server, no Kafka broker" in told(address, security_protocol=protocol)


def test_failure_15_a_port_that_closes_the_connection_may_be_one_of_zookeeper(listen: Listen) -> None:
    address = listen(closing)
    assert f"{address} closes the connection: no Kafka broker, such as a port of ZooKeeper" in told(address)


def test_failure_15_a_port_that_says_nothing_is_told_so(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "_CONNECT_SECONDS", 0.2)
    address = listen(silent)
    assert f"{address} does not answer" in told(address)


def test_failure_15_of_several_addresses_the_one_that_somebody_has_to_mend_is_told(listen: Listen) -> None:
    address = listen(http)
    assert "HTTP server" in told(f"127.0.0.1:1, {address}")


def test_failure_15_commands_end_with_what_was_found(listen: Listen) -> None:
    def listed(address: str) -> None:
        settings = Settings(quality=QualitySettings(kafka_bootstrap=address))
        with explained("list topics", settings):
            admin_client(settings).list_topics(timeout=0.5)

    with pytest.raises(BrokerUnavailable, match=r"does not answer: cannot list topics: .* nobody listens"):
        listed("127.0.0.1:1")
    with pytest.raises(ForbiddenError, match=r"cannot list topics: .* is an HTTP server"):
        listed(listen(http))
