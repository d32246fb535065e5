"""What is asked at the address of a worker may be another program, which answers in JSON, too."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lpa_core.admin.client import AdminClientOfJob, job_details
from lpa_core.admin.errors import AdminError
from lpa_core.cli import run

TOKEN = "0123456789abcdef"
FLINK = {"/jobs/overview": {"jobs": [{"jid": "a" * 32}]}, f"/jobs/{'a' * 32}": {"jid": "a" * 32, "vertices": []}}


class Stranger(BaseHTTPRequestHandler):
    answers: Mapping[str, Any] = {}
    status = 200

    def do_GET(self) -> None:
        body = json.dumps(self.answers.get(self.path, {})).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "answers",
    [{}, FLINK, {"/jobs/overview": {"jobs": []}}, {"/jobs/overview": {"jobs": [{"jid": "a"}, {"jid": "b"}]}},
     {"/jobs/overview": {"jobs": 1}}, {"/jobs/overview": {"jobs": [{"jid": "\u00e4 /../x"}]}},
     {"/jobs/overview": {"jobs": [{"jid": "a"}]}, "/jobs/a": {"partitions": [{"topic": "t"}]}}],
)  # fmt: skip
def test_details_are_those_of_a_worker(address: str, monkeypatch: pytest.MonkeyPatch, answers: Any) -> None:
    monkeypatch.setattr(Stranger, "answers", answers)
    with pytest.raises(AdminError, match=f"{address} is the address of another program: give a worker's LPA_ADMIN_AD"):
        job_details(address)


@pytest.mark.parametrize(
    "answers", [{}, {"/tap": {"tap": 1}}, {"/tap": {"tap": "a"}}, {"/tap": {"tap": "a"}, "/tap/a": {"records": [{}]}}]
)
def test_a_tap_of_another_program_is_refused_in_a_line(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answers: Any
) -> None:
    monkeypatch.setattr(Stranger, "answers", answers)
    monkeypatch.setenv("LPA_ADMIN_TOKEN", TOKEN)
    assert run(["tap", "--address", address]) == 2
    said = capsys.readouterr()
    assert f"{address} is the address of another program" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("answers", "said"),
    [({}, "/tap: 500"), ({"/tap": {"errors": ["no", "room"]}}, "/tap: no; room"), ({"/tap": {"errors": 5}}, "another")],
)
def test_a_refusal_says_what_the_other_says(
    address: str, monkeypatch: pytest.MonkeyPatch, answers: Any, said: str
) -> None:
    monkeypatch.setattr(Stranger, "answers", answers)
    monkeypatch.setattr(Stranger, "status", 500)
    with pytest.raises(AdminError, match=said):
        AdminClientOfJob(address, TOKEN).open_tap({})
