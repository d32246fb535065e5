"""``lpa tap`` on an admin endpoint: with the token only, and clean at its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import attrs
import pytest
from prometheus_client import CollectorRegistry

from lpa_core.admin.server import AdminServer
from lpa_core.cli import run
from lpa_core.delivery.tap import Tap
from lpa_core.jobs.admin_tap import AdminTap
from lpa_core.pipeline.masking import Masking
from lpa_core.records import RecordBatch
from lpa_core.testing.administered_job import JobDouble
from lpa_core.testing.simulation.records import event

TOKEN = "0123456789abcdef"


@attrs.define
class Served:
    tap: Tap
    port: int

    def ask(self, method: str, path: str, body: object = None, token: str = TOKEN) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        found = json.loads(response.read())
        connection.close()
        return response.status, found


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    tap = Tap(Masking())
    server = AdminServer("127.0.0.1:0", TOKEN, JobDouble(), CollectorRegistry(), tap=AdminTap(tap))
    server.start()
    monkeypatch.setenv("LPA_ADMIN_ADDRESS", f"127.0.0.1:{server.port}")
    monkeypatch.setenv("LPA_ADMIN_TOKEN", TOKEN)
    yield Served(tap, server.port)
    server.close()


@pytest.fixture
def worker(served: Served) -> Iterator[None]:
    """Reads a batch again and again."""
    ended = threading.Event()
    batch = RecordBatch("topic", 0, [7, 8], [event("one"), b'{"type":"\x1b[31mred"}'])

    def work() -> None:
        while not ended.wait(0.01):
            if served.tap.is_open:
                served.tap.read(batch)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_nothing_is_told_without_the_token(served: Served) -> None:
    for method, path in (("POST", "/tap"), ("GET", "/tap/any"), ("POST", "/tap/any/close")):
        assert served.ask(method, path, {}, token="")[0] == 401
        assert served.ask(method, path, {}, token="wrong")[0] == 401
    assert not served.tap.is_open


def test_a_process_without_records_says_so() -> None:
    for token, status in ((TOKEN, 404), ("", 403)):
        server = AdminServer("127.0.0.1:0", token, JobDouble(), CollectorRegistry())
        server.start()
        assert Served(Tap(Masking()), server.port).ask("POST", "/tap", {})[0] == status
        server.close()


def test_a_tap_is_opened_asked_and_closed(served: Served) -> None:
    status, found = served.ask("POST", "/tap", {"stage": "read"})
    assert status == 201
    path = f"/tap/{found['tap']}"
    served.tap.read(RecordBatch("topic", 0, [7], [event("one")]))
    status, answer = served.ask("GET", path)
    assert (status, [record["offset"] for record in answer["records"]]) == (200, [7])
    assert served.ask("GET", path)[1]["records"] == []
    assert served.ask("POST", f"{path}/close")[0] == 200
    assert not served.tap.is_open
    assert served.ask("GET", path)[0] == 404
    status, answer = served.ask("POST", "/tap", {"sample": 0})
    assert (status, "sample is at least 1" in answer["errors"][0]) == (400, True)


@pytest.mark.slow
@pytest.mark.usefixtures("worker")
def test_the_command_shows_records_and_counts_and_leaves_nothing_open(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["tap", "--stage", "read", "--seconds", "0.7", "--rate", "500"]) == 0
    said = capsys.readouterr().out
    assert "topic/0/7 stream_trace" in said
    assert "\x1b[31m" not in said
    *_, last = said.strip().splitlines()
    assert " records passed; " in last
    assert not served.tap.is_open

    assert run(["tap", "--stage", "read", "--seconds", "0.7", "--where", "id=one", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert records
    assert {record["offset"] for record in records} == {7}


def test_what_cannot_be_is_said_in_a_line(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["tap", "--where", "nonsense"]) == 2
    assert "--where nonsense: write a path and a text" in capsys.readouterr().err
    assert run(["tap", "--stage", "read", "--reason", "x"]) == 2
    assert "a record that is only read has no reason" in capsys.readouterr().err
    for given, why in (
        (["--rate", "nan"], "rate above 0 and at most 1000"),
        (["--rate", "inf"], "rate above 0 and at most 1000"),
        (["--rate", "-1"], "rate above 0 and at most 1000"),
        (["--seconds", "nan"], "--seconds nan: it has to be more than 0"),
        (["--seconds", "-1"], "--seconds -1.0: it has to be more than 0"),
        (["--stage", "nowhere"], 'Choose from: "read", "judged", "claimed", "written"'),
    ):
        assert run(["tap", *given]) == 2
        assert why in capsys.readouterr().err
    assert run(["tap", "--address", "127.0.0.1:1"]) == 2
    refused = capsys.readouterr().err
    assert "no worker answers at 127.0.0.1:1" in refused
    assert "a job that reads files cannot be asked" in refused
    monkeypatch.delenv("LPA_ADMIN_TOKEN")
    assert run(["tap"]) == 2
    assert "no LPA_ADMIN_TOKEN is set" in capsys.readouterr().err
