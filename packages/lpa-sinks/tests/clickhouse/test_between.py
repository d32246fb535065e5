"""What stands between lpa and ClickHouse: proxies of the environment, limits of a length, balancers."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import attrs
import pytest
from tenacity import wait_none

from lpa_core.sinks.sink import RowsRefused, SinkMisconfigured, SinkUnavailable
from lpa_core.testing.sink_suite import OTHER_TABLE, TABLE, block
from lpa_sinks.archive.storage import open_storage
from lpa_sinks.clickhouse.client import Endpoint, connect
from lpa_sinks.clickhouse.retries import RetryPolicy
from lpa_sinks.sink.sink import ClickHouseSink
from lpa_sinks.testing.http_front import PASSWORD, USER, Fault, Front
from lpa_sinks.testing.places import ClickHousePlace

FAR: Final = "http://clickhouse.example:8123"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@attrs.define
class Forward:
    """A forward proxy that answers for itself, and what it was sent."""

    port: int
    seen: list[tuple[str, str, str]] = attrs.field(factory=list)
    """Method, target and login."""


@contextmanager
def forward(status: int, body: bytes = b"<html>not allowed</html>") -> Iterator[Forward]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            found.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def do_CONNECT(self) -> None:
            self.answer()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Forward(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def _without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")
        monkeypatch.setenv(variable.lower(), "")


@pytest.fixture
def sink(server: ClickHousePlace) -> Iterator[ClickHouseSink]:
    policy = RetryPolicy(seconds=0, wait=wait_none(), sleep=lambda seconds: None)
    with closing(ClickHousePlace(server.engine, server.endpoint, policy).sink()) as sink:
        sink.open([TABLE, OTHER_TABLE])
        yield sink


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_failure_21_clickhouse_on_this_machine_is_reached_without_a_proxy(
    server: ClickHousePlace, front: Front, monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    to = Endpoint(server.endpoint.database, url=f"http://{host}:{front.port}", user=USER)
    with closing(connect(to, PASSWORD)) as client:
        assert client.query("SELECT 1").result_rows == [(1,)]


def test_failure_21_an_object_store_on_this_machine_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with forward(403) as store, forward(403) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{store.port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ALLOW_HTTP"):
            monkeypatch.setenv(name, "true")
        with pytest.raises(Exception, match="403"):
            open_storage("s3://bucket/raw", wait=wait_none(), attempts=1).check()
        assert store.seen
        assert proxy.seen == []


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (407, SinkMisconfigured, "wants a login of its own (status 407)"),
        (403, SinkUnavailable, "answers in place of ClickHouse (status 403)"),
        (502, SinkUnavailable, "answers in place of ClickHouse (status 502)"),
        (302, SinkUnavailable, "answers in place of ClickHouse (status 302)"),
        (200, SinkUnavailable, "answers in place of ClickHouse (status 200)"),
    ],
)
def test_failure_21_a_proxy_that_answers_for_itself_gets_no_login_and_is_named(
    status: int, kind: type[Exception], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forward(status) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(kind) as refused:
            connect(Endpoint("d", url=FAR, user="me"), "hunter2")
    assert proxy.seen == [("GET", f"{FAR}/ping", "")]
    said = str(refused.value)
    assert told in said
    assert f"HTTP_PROXY=http://127.0.0.1:{proxy.port}" in said
    assert "NO_PROXY" in said
    assert "CLICKHOUSE_PASSWORD" not in said


@pytest.mark.parametrize(("status", "kind"), [(407, SinkMisconfigured), (403, SinkUnavailable)])
def test_failure_21_a_proxy_that_makes_no_way_for_tls_is_named(
    status: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    with forward(status) as proxy:
        monkeypatch.setenv("https_proxy", f"http://me:hunter2@127.0.0.1:{proxy.port}")
        with pytest.raises(kind) as refused:
            connect(Endpoint("d", url="https://clickhouse.example:8443", user="me"), "hunter3")
    assert {method for method, _, _ in proxy.seen} == {"CONNECT"}
    assert f"the proxy that https_proxy=http://***@127.0.0.1:{proxy.port} names" in str(refused.value)
    assert f"status {status}" in str(refused.value)
    assert "hunter" not in str(refused.value)


def test_failure_21_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "127.0.0.1:9")
    for url in (FAR, "https://clickhouse.example:8443"):
        with pytest.raises(
            SinkUnavailable, match=r"ALL_PROXY=http://127.0.0.1:9 names.* does not answer|does not answer.*ALL_PROXY"
        ):
            connect(Endpoint("d", url=url, user="me"), "hunter2")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(SinkMisconfigured, match=r"ALL_PROXY=socks5://127\.0\.0\.1:9: only HTTP proxies"):
        connect(Endpoint("d", url=FAR, user="me"), "hunter2")


def test_failure_21_a_proxy_that_passes_everything_on_is_used(
    server: ClickHousePlace, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in is asked for whole URLs, as a proxy is, and answers as the server behind it."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{front.port}")
    front.logins.clear()
    with closing(connect(Endpoint("d", url=FAR, user=USER), PASSWORD)) as client:
        assert client.query("SELECT 1").result_rows == [(1,)]
    assert front.urls[-1].startswith(FAR)
    assert front.logins[0] == ""
    assert front.logins[-1] == "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def test_failure_21_parameters_travel_in_the_body(server: ClickHousePlace, front: Front, sink: ClickHouseSink) -> None:
    first = 10**9
    sink.write(block("t", 600, start=first))
    front.urls.clear()
    sink.withdraw(TABLE, "events", 0, range(first, first + 500))
    assert [row[0] for row in server.engine.query(f"SELECT count() FROM {server.name(TABLE)}").result_rows] == [100]
    assert front.urls
    assert max(map(len, front.urls)) < 1_000
    assert not any("param_" in url for url in front.urls)


def test_failure_21_a_statement_with_rows_in_it_keeps_its_few_parameters_in_the_url(
    server: ClickHousePlace, front: Front, sink: ClickHouseSink
) -> None:
    """A field of a form would be too small for it."""
    with closing(connect(server.endpoint, PASSWORD)) as client:
        text = "x" * 200_000
        statement = f"SELECT length('{text}') + {{n:UInt8}}"
        assert client.query(statement, parameters={"n": 1}).result_rows == [(200_001,)]


@pytest.mark.parametrize(
    ("status", "told"), [(413, "client_max_body_size"), (414, "8 KB"), (431, "8 KB"), (407, "login of its own")]
)
def test_failure_21_what_stands_between_and_takes_nothing_is_told_what_to_change(
    front: Front, sink: ClickHouseSink, status: int, told: str
) -> None:
    front.faults.append(Fault("INSERT", status=status))
    with pytest.raises(SinkMisconfigured, match=told) as refused:
        sink.write(block("t", 3))
    assert f"status {status}" in str(refused.value)


def test_failure_21_refused_rows_are_found_behind_a_balancer_over_two_servers(
    server: ClickHousePlace, front: Front, sink: ClickHouseSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "servers", 2)
    server.refuse(TABLE, "377")
    with pytest.raises(RowsRefused) as refusal:
        sink.write(block("t", 2500))
    assert list(refusal.value.rows) == [377]


def test_failure_21_what_a_table_computes_is_tried_without_a_table(
    server: ClickHousePlace, front: Front, sink: ClickHouseSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "servers", 2)
    server.change(TABLE, "ADD COLUMN twin String ALIAS text || text")
    server.change(TABLE, "ADD COLUMN doubled UInt8 MATERIALIZED throwIf(twin = '33') + 1")
    with pytest.raises(RowsRefused) as refusal:
        sink.write(block("t", 5))
    assert refusal.value.rows == {3: "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO (code 395)"}
