"""``lpa doctor`` on a ClickHouse server, and an archive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from services.clickhouse import ClickHouseServer

from doctor.answers import NOWHERE, Doctor, failed, text
from lpa_core.cli import run
from lpa_sinks.testing.http_front import Fault


@pytest.fixture(scope="module")
def server() -> Iterator[ClickHouseServer]:
    server = ClickHouseServer()
    yield server
    server.close()


@pytest.fixture
def sink(server: ClickHouseServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("CLICKHOUSE_USER", server.user)
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", server.password)
    Path("a.ndjson").write_text("{}\n")
    server.forget_faults()
    yield f"clickhouse://127.0.0.1:{server.port}"
    server.forget_faults()


@pytest.mark.slow
def test_failure_31_a_server_is_looked_at_step_by_step(
    server: ClickHouseServer, sink: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = doctor("a.ndjson", "--sink", sink)
    assert failed(found) == ["clickhouse_tables"]
    assert "`lpa schema apply` makes them" in text(found, "clickhouse_tables")
    assert found["clickhouse_inserts"]["state"] == "not tried"
    with server.client() as client:
        assert not [name for (name,) in client.query("SHOW DATABASES").result_rows if name == "livepeer_analytics"]
    assert run(["schema", "apply", "--sink", sink]) == 0
    found = doctor("a.ndjson", "--sink", sink, status=0)
    assert "time zone" in text(found, "clickhouse_login")
    with server.client() as client:
        client.command("ALTER TABLE livepeer_analytics.streaming_events ADD COLUMN mine String")
        found = doctor("a.ndjson", "--sink", sink, status=0)
        assert found["clickhouse_tables"]["state"] == "warning"
        client.command("ALTER TABLE livepeer_analytics.streaming_events DROP COLUMN mine")
        client.command("ALTER TABLE livepeer_analytics.streaming_events DROP COLUMN replay_id")
        found = doctor("a.ndjson", "--sink", sink)
        assert "ADD COLUMN replay_id" in text(found, "clickhouse_tables")
        client.command("DROP DATABASE livepeer_analytics SYNC")
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", "wrong")
    found = doctor("a.ndjson", "--sink", sink)
    assert failed(found) == ["clickhouse_login"]
    assert "check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD" in text(found, "clickhouse_login")
    assert {each["state"] for name, each in found.items() if name in ("clickhouse_grants", "clickhouse_clock")} == {
        "not tried"
    }


PAGE: Final = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"


@pytest.mark.parametrize(
    ("statement", "check"), [("now64(3)", "clickhouse_clock"), ("system.tables", "clickhouse_tables")]
)
def test_failure_31_a_page_in_place_of_an_answer_is_told(
    statement: str, check: str, server: ClickHouseServer, sink: str, doctor: Doctor
) -> None:
    server.tell(Fault(statement, answer=PAGE), times=20)
    found = doctor("a.ndjson", "--sink", sink)
    assert check in failed(found)
    assert "not an answer of ClickHouse's own" in text(found, check)


def test_failure_31_a_user_without_a_grant_is_told(sink: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpa_sinks.sink.readiness.missing", lambda client, database: ["INSERT ON `x`.*"])
    found = doctor("a.ndjson", "--sink", sink)
    assert "clickhouse_grants" in failed(found)
    assert "this user lacks INSERT ON `x`.* | GRANT it (docs/operations/permissions.md)" in text(
        found, "clickhouse_grants"
    )


def test_failure_31_a_clock_ahead_of_the_servers_is_told(
    sink: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = time.time_ns() + 3_600 * 10**9
    monkeypatch.setattr("lpa_sinks.sink.server_clock.time.time_ns", lambda: ahead)
    found = doctor("a.ndjson", "--sink", sink)
    assert "clickhouse_clock" in failed(found)
    assert "set the one right that is wrong" in text(found, "clickhouse_clock")


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        (f"clickhouse://{NOWHERE}", "Connection refused | start it, or check the address"),
        ("clickhouse://no.such.host.invalid", "no.such.host.invalid cannot be resolved"),
        ("clickhouse://me:hunter@host", "set CLICKHOUSE_PASSWORD instead"),
    ],
)
def test_failure_31_a_server_that_cannot_be_reached_is_told(sink: str, said: str, doctor: Doctor) -> None:
    Path("a.ndjson").write_text("{}\n")
    found = doctor("a.ndjson", "--sink", sink)
    assert failed(found) == (["stored", "clickhouse_address"] if "hunter" in sink else ["clickhouse_address"])
    assert said in text(found, "clickhouse_address")
    assert "hunter" not in str(found)
    assert found["clickhouse_tables"]["state"] == "not tried"


def test_failure_31_tls_where_there_is_none_and_a_proxy_that_is_away_are_told(
    server: ClickHouseServer, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.ndjson").write_text("{}\n")
    found = doctor("a.ndjson", "--sink", f"https://127.0.0.1:{server.port}")
    assert "no TLS there" in text(found, "clickhouse_address")
    monkeypatch.setenv("HTTP_PROXY", f"http://{NOWHERE}")
    found = doctor("a.ndjson", "--sink", "http://clickhouse.example:8123")
    assert "or name the host in NO_PROXY" in text(found, "clickhouse_address")


def test_failure_31_of_two_sinks_each_is_looked_at(sink: str, doctor: Doctor) -> None:
    found = doctor("a.ndjson", "--sink", f"clickhouse://{NOWHERE}", "--sink", sink)
    assert failed(found) == [f"clickhouse_address clickhouse://{NOWHERE}", f"clickhouse_tables {sink}"]


def test_failure_31_an_archive_that_cannot_be_written_is_told(doctor: Doctor) -> None:
    Path("file").write_text("x")
    assert "name a folder that can" in text(doctor("--archive", "file/archive"), "archive")
    assert "a start makes" in text(doctor("--archive", "new/archive", status=0), "archive")
