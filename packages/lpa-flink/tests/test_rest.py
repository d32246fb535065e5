"""The client of Flink's REST against a real HTTP server: what a real cluster said, and what none should say."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import wait_none

from lpa_core.errors import LpaError
from lpa_flink.rest import FlinkClient, FlinkRun
from lpa_flink.rest_answers import FlinkJobState, cause
from lpa_flink.rest_connection import (
    LARGEST,
    FlinkAddressError,
    FlinkError,
    FlinkNotFoundError,
    FlinkUnavailable,
    RestConnection,
)

RECORDED: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "recorded_answers.json").read_text())
"""Exchanges with a cluster of Flink 2.2.1; stack traces are shortened."""
JOB = "f07191daec7e4a8f99c41ce79cf36465"

Answer = Callable[[socket.socket, str], None]


class Server:
    """Takes one request a connection, notes it, and has ``answer`` write bytes of its choice."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self.answer: Answer = lambda connection, request: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def says(self, *names: str) -> None:
        """Answer as the cluster did in these recorded exchanges, in turn; the last one again and again."""
        left = list(names)

        def answer(connection: socket.socket, request: str) -> None:
            recorded = RECORDED[left.pop(0) if len(left) > 1 else left[0]]
            connection.sendall(http(recorded["status"], json.dumps(recorded["answer"]).encode()))

        self.answer = answer

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65_536)
                head, _, body = head.partition(b"\r\n\r\n")
                length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
                while len(body) < length:
                    body += connection.recv(65_536)
                self.requests.append((head.decode(), body))
                with suppress(OSError):
                    self.answer(connection, head.decode().partition(" HTTP")[0])


def http(status: int, body: bytes, *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def raw(answer: bytes) -> Answer:
    return lambda connection, request: connection.sendall(answer)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def client(server: Server, *, seconds: float = 5, attempts: int = 2, token: str = "") -> FlinkClient:
    return FlinkClient(RestConnection(server.address, token, seconds=seconds), attempts=attempts, wait=wait_none())


@contextmanager
def refused(error: type[LpaError], *words: str) -> Iterator[None]:
    with pytest.raises(error) as raised:
        yield
    text = str(raised.value)
    assert "\n" not in text
    assert type(raised.value) is error
    for word in words:
        assert word in text, text


# What a real cluster said


def test_a_cluster_its_jobs_and_its_jars_are_read(server: Server) -> None:
    server.says("overview")
    assert client(server).cluster().flink_version == "2.2.1"
    server.says("jobs")
    newest = client(server).jobs()[0]
    assert (newest.id, newest.name, newest.state) == (JOB, "livepeer-analytics", FlinkJobState.FINISHED)
    assert newest.state.ended
    server.says("job")
    job = client(server).job(JOB)
    assert (job.state, len(job.vertices)) == (FlinkJobState.RUNNING, 1)
    assert not job.state.ended
    server.says("config")
    assert client(server).parameters(JOB) == {"lpa.version": "0.1.0", "lpa.topics": "a,b"}
    server.says("jars")
    assert client(server).jars()[0].name == "livepeer-analytics-flink-0.1.0.jar"


def test_checkpoints_and_metrics_are_read(server: Server) -> None:
    server.says("checkpoints")
    checkpoints = client(server).checkpoints(JOB)
    assert checkpoints.latest.completed is not None
    assert checkpoints.latest.completed.external_path.startswith("file:/opt/flink/state/checkpoints/")
    server.says("job_metrics")
    numbers = client(server).job_metrics(JOB, ["numRestarts", "lastCheckpointExternalPath"])
    assert numbers["numRestarts"] == 0
    assert "lastCheckpointExternalPath" not in numbers
    server.says("metric_names", "metrics")
    assert client(server).operator_metrics(JOB, "v", [".numRecordsIn"]) == {"0.gate__Filter.numRecordsIn": 4000.0}
    assert "get=0.gate__Filter.numRecordsIn" in server.requests[-1][0]


def test_a_savepoint_is_asked_for_by_an_id_of_our_own_and_is_there_in_the_end(server: Server) -> None:
    server.says("stop")
    client(server).stop(JOB, "a" * 32, drain=False)
    assert json.loads(server.requests[-1][1]) == {"drain": False, "triggerId": "a" * 32}
    server.says("savepoint")
    client(server).savepoint(JOB, "b" * 32)
    assert json.loads(server.requests[-1][1])["triggerId"] == "b" * 32
    server.says("savepoint_in_progress")
    assert client(server).savepoint_location(JOB, "a" * 32) == ""
    server.says("stop_completed")
    assert client(server).savepoint_location(JOB, "a" * 32).startswith("file:/opt/flink/state/savepoints/")
    server.says("stop_failed")
    with refused(FlinkError, "made no savepoint", "Could not find Flink job"):
        client(server).savepoint_location(JOB, "a" * 32)


def test_a_jar_is_uploaded_as_a_form_and_named_by_its_id(server: Server, tmp_path: Path) -> None:
    jar = tmp_path / "livepeer-analytics-flink-0.1.0.jar"
    jar.write_bytes(b"PK content")
    answer = {"filename": "/opt/upload/flink-web-upload/a78_livepeer-analytics-flink-0.1.0.jar", "status": "success"}
    server.answer = raw(http(200, json.dumps(answer).encode()))
    assert client(server).upload(jar) == "a78_livepeer-analytics-flink-0.1.0.jar"
    head, body = server.requests[-1]
    assert "multipart/form-data" in head
    assert b'name="jarfile"; filename="livepeer-analytics-flink-0.1.0.jar"' in body
    assert b"PK content" in body
    server.says("delete_jar")
    client(server).delete_jar("a78.jar")
    assert server.requests[-1][0].startswith("DELETE /jars/a78.jar ")


def test_a_run_says_everything_and_its_job_has_the_id_that_we_chose(server: Server) -> None:
    server.says("run")
    run = FlinkRun("a.Class", 2, ["--x", "1"], "/savepoints/1")
    client(server).run("a.jar", run)
    assert json.loads(server.requests[-1][1]) == {
        "entryClass": "a.Class",
        "parallelism": 2,
        "programArgsList": ["--x", "1"],
        "jobId": run.job_id,
        "savepointPath": "/savepoints/1",
    }


@pytest.mark.parametrize(
    ("recorded", "error", "words"),
    [
        ("no_such_job", FlinkNotFoundError, "Could not find Flink job"),
        ("no_job_id", FlinkError, "Cannot resolve path parameter"),
        ("delete_no_such_jar", FlinkError, "File nope.jar does not exist"),
        ("no_such_request", FlinkNotFoundError, "There is no savepoint operation"),
    ],
)
def test_what_flink_refuses_is_one_line_with_its_deepest_cause(
    server: Server, recorded: str, error: type[LpaError], words: str
) -> None:
    server.says(recorded)
    with refused(error, f"GET {server.address}/jobs/x", words):
        client(server).job("x")
    assert len(server.requests) == 1


def test_a_run_that_flink_refuses_says_why(server: Server) -> None:
    server.says("no_entry_class", "no_such_job")
    with refused(FlinkError, "com.nothing.Here"):
        client(server).run("a.jar", FlinkRun("com.nothing.Here", 1))
    server.says("same_job_again", "no_exceptions")
    with refused(FlinkError, "the job's program ended", "job manager's log"):
        client(server).run("a.jar", FlinkRun("x", 1))
    server.says("run_without_savepoint", "exceptions")
    with refused(FlinkError, "could not begin", "Cannot find checkpoint or savepoint file/directory '/nowhere/x'"):
        client(server).run("a.jar", FlinkRun("x", 1))


# A lost answer


def test_failure_34_a_run_whose_answer_is_lost_is_looked_for_and_never_sent_again(server: Server) -> None:
    def answer(connection: socket.socket, request: str) -> None:
        if request.startswith("GET"):
            connection.sendall(http(200, json.dumps(RECORDED["job"]["answer"]).encode()))

    server.answer = answer
    assert client(server).run("a.jar", FlinkRun("x", 1)) == JOB
    assert [head.split()[0] for head, _ in server.requests] == ["POST", "GET"]


def test_a_run_that_is_lost_and_not_found_says_that_it_may_still_come(server: Server) -> None:
    def answer(connection: socket.socket, request: str) -> None:
        if request.startswith("GET"):
            connection.sendall(http(404, json.dumps(RECORDED["no_such_job"]["answer"]).encode()))

    server.answer = answer
    run = FlinkRun("x", 1)
    with refused(FlinkUnavailable, run.job_id, "may still come"):
        client(server).run("a.jar", run)
    assert [head.split()[0] for head, _ in server.requests] == ["POST", "GET", "GET"]


def test_what_reads_and_what_has_an_id_is_asked_again(server: Server) -> None:
    answers = iter([b"", http(200, json.dumps(RECORDED["stop"]["answer"]).encode())])
    server.answer = lambda connection, request: connection.sendall(next(answers))
    client(server).stop(JOB, "a" * 32)
    assert [body for _, body in server.requests] == [server.requests[0][1]] * 2


# What no cluster should say


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        pytest.param(b"", FlinkUnavailable, "job manager runs", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", FlinkUnavailable, "", id="half a head"),
        pytest.param(http(200, b'{"jobs":[]}')[:-4], FlinkUnavailable, "", id="half a body"),
        pytest.param(b"\x00\xff\x00nonsense\r\n\r\n", FlinkUnavailable, "", id="not HTTP"),
        pytest.param(http(200, b"<html>hello</html>"), FlinkAddressError, "LPA_FLINK_ADDRESS", id="a page"),
        pytest.param(http(200, b'{"jobs": 7}'), FlinkAddressError, "LPA_FLINK_ADDRESS", id="another shape"),
        pytest.param(http(200, b'{"jobs":[{"jid":"\xff"}]}'), FlinkAddressError, "", id="broken UTF-8"),
        pytest.param(http(302, b"", "Location: http://e/\x1b[1m"), FlinkAddressError, "redirects to", id="redirect"),
        pytest.param(http(401, b"who are you"), FlinkAddressError, "LPA_FLINK_TOKEN", id="a login"),
        pytest.param(http(502, b"<html>bad gateway"), FlinkUnavailable, "proxy", id="a proxy"),
        pytest.param(http(500, b'{"errors": []}'), FlinkError, "HTTP 500", id="no reason"),
        pytest.param(http(503, b'{"errors": ["no leader"]}'), FlinkUnavailable, "no leader", id="starting"),
    ],
)
def test_failure_34_what_is_not_an_answer_is_one_line(
    server: Server, answer: bytes, error: type[LpaError], words: str
) -> None:
    server.answer = raw(answer)
    with refused(error, f"{server.address}/jobs/overview", words):
        client(server).jobs()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    connection = RestConnection(f"http://127.0.0.1:{port}")
    with refused(FlinkUnavailable, f"127.0.0.1:{port}", "job manager runs"):
        FlinkClient(connection, attempts=1).cluster()


@pytest.mark.parametrize("drips", [False, True])
def test_an_answer_that_is_late_is_not_waited_for(server: Server, drips: bool) -> None:
    def answer(connection: socket.socket, request: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" if drips else b"")
        for _ in range(10):
            time.sleep(0.05)
            if drips:
                connection.sendall(b" ")

    server.answer = answer
    began = time.monotonic()
    with refused(FlinkUnavailable):
        client(server, seconds=0.15, attempts=1).jobs()
    assert time.monotonic() - began < 0.45


def test_an_answer_without_end_is_not_read(server: Server) -> None:
    def answer(connection: socket.socket, request: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(2 * LARGEST >> 20):
            connection.sendall(b" " * (1 << 20))

    server.answer = answer
    with refused(FlinkAddressError, "more than 16 MB"):
        client(server).jobs()


def test_a_token_is_sent_and_shown_nowhere(server: Server) -> None:
    server.answer = raw(http(403, b"no"))
    with pytest.raises(FlinkAddressError) as raised:
        client(server, token="a-secret-of-the-proxy").jobs()
    assert "Authorization: Bearer a-secret-of-the-proxy" in server.requests[-1][0]
    assert "a-secret" not in str(raised.value)


@given(st.text())
def test_any_stack_trace_has_a_cause_of_one_line(trace: str) -> None:
    assert len(cause(trace).splitlines()) <= 1
