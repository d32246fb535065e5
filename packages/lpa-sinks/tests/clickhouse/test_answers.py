"""Only an answer of ClickHouse's own is success: pages of others, errors behind success, answers that are cut."""

from __future__ import annotations

import gzip
import io
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast

import attrs
import pytest
import structlog
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st
from tenacity import wait_none

from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_core.testing.sink_suite import OTHER_TABLE, TABLE, block
from lpa_sinks.clickhouse.answers import NotClickHouseError, why_not
from lpa_sinks.clickhouse.client import connect
from lpa_sinks.clickhouse.errors import ErrorKind, classify, describe
from lpa_sinks.clickhouse.retries import RetryPolicy
from lpa_sinks.commands.schema import schema_app
from lpa_sinks.sink.sink import ClickHouseSink
from lpa_sinks.testing.http_front import PASSWORD, USER, Fault, Front
from lpa_sinks.testing.places import ClickHousePlace

INSERT = "INSERT INTO"
HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to the network</body></html>"
EXCEPTION = "Code: 241. DB::Exception: Memory limit exceeded, row 'a secret' (MEMORY_LIMIT_EXCEEDED)\n"
OWN = 'X-ClickHouse-Server-Display-Name: h\r\nX-ClickHouse-Query-Id: 1\r\nX-ClickHouse-Summary: {"read_rows":"0"}\r\n'


def answer(status: str, headers: str = "", body: str | bytes = b"") -> str:
    content = body.encode() if isinstance(body, str) else body
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(content)}\r\n\r\n" + content.decode("latin-1")


PAGE = answer("200 OK", "Server: nginx\r\nContent-Type: text/html\r\n", HTML)
FOREIGN = {
    "a page": (PAGE, "status 200, server nginx, no X-ClickHouse-Summary: '<!DOCTYPE html>"),
    "a compressed page": (
        answer("200 OK", "Content-Encoding: gzip\r\n", gzip.compress(HTML.encode())),
        "no X-ClickHouse-Summary: '<!DOCTYPE html>",
    ),
    "nothing": (answer("200 OK"), "status 200, no X-ClickHouse-Summary"),
    "no content": (answer("204 No Content"), "status 204"),
    "an error as a page": (answer("200 OK", "", EXCEPTION), "no X-ClickHouse-Summary: 'Code: 241.'"),
    "an error behind headers of success": (answer("200 OK", OWN, EXCEPTION), "text instead of a result"),
    "a health page": (answer("200 OK", "", '{"status":"ok"}'), 'no X-ClickHouse-Summary: \'{"status":"ok"}\''),
    "the answer to a ping": (answer("200 OK", "X-ClickHouse-Server-Display-Name: h\r\n", "Ok.\n"), "'Ok.'"),
    "a summary that is none": (answer("200 OK", OWN.replace("{", "[").replace("}", "]")), "no X-ClickHouse-Summary"),
    "a summary of nobody": (answer("200 OK", 'X-ClickHouse-Summary: {"read_rows":"0"}\r\n'), "neither X-ClickHouse-Se"),
    "a redirect": (answer("302 Found", "Location: http://login.example/?token=hush\r\n"), "sends on to login.example"),
    "a lasting redirect": (answer("308 Permanent Redirect", "Location: /login?token=hush\r\n"), "sends on to /login"),
    "a forbidding page": (answer("403 Forbidden", "", HTML), "status 403"),
    "an ingress without a backend": (answer("404 Not Found", "", "default backend - 404"), "'default backend - 404'"),
    "a portal": (answer("511 Network Authentication Required", "", HTML), "status 511"),
    "a busy gateway": (answer("503 Service Unavailable", "", HTML), "status 503"),
    "no end": (f"HTTP/1.1 200 OK\r\n{OWN}Connection: close\r\n\r\n", "nothing that says where it ends"),
}


@pytest.fixture
def sink(server: ClickHousePlace) -> Iterator[ClickHouseSink]:
    policy = RetryPolicy(seconds=60, wait=wait_none(), sleep=lambda seconds: None)
    with closing(ClickHousePlace(server.engine, server.endpoint, policy).sink()) as sink:
        sink.open([TABLE, OTHER_TABLE])
        yield sink


@pytest.mark.parametrize("name", FOREIGN)
def test_failure_02_a_foreign_answer_to_an_insert_is_not_written_try_again(
    server: ClickHousePlace, front: Front, sink: ClickHouseSink, name: str
) -> None:
    raw, told = FOREIGN[name]
    for number, applied in enumerate((False, True)):
        front.faults += [Fault(INSERT, answer=raw, applied=applied)] * 2
        with structlog.testing.capture_logs() as logged:
            sink.write(block(f"t{number}", 50, start=50 * number))
        assert front.faults == []
        assert len(server.rows(TABLE)) == 50 * (number + 1)
        assert [entry["attempt"] for entry in logged] == [1, 2]
        for entry in logged:
            assert entry["reason"].startswith("not an answer of ClickHouse's own: ")
            assert told in entry["reason"]
            assert not re.search("secret|hush", entry["reason"])


def test_failure_02_a_foreign_answer_to_a_question_is_asked_again(
    server: ClickHousePlace, front: Front, sink: ClickHouseSink
) -> None:
    written = block("t", 3)
    sink.write(written)
    for raw, _ in FOREIGN.values():
        front.faults += [Fault("SELECT", answer=raw)] * 2
        sink.complete(written)
        assert sink.holds("events", 0) is False  # of the raw table, in which nothing was written
        assert front.faults == []
    assert len(server.rows(TABLE)) == 3


@pytest.mark.slow
def test_failure_02_a_foreign_answer_withdraws_nothing(
    server: ClickHousePlace, front: Front, sink: ClickHouseSink
) -> None:
    sink.write(block("t", 40))
    for number, (raw, _) in enumerate(FOREIGN.values()):
        front.faults.append(Fault("DELETE FROM", answer=raw))
        sink.withdraw(TABLE, "events", 0, [number])
        assert front.faults == []
    assert len(server.rows(TABLE)) == 40 - len(FOREIGN)


@pytest.mark.slow
@pytest.mark.parametrize("applied", [False, True], ids=["not carried out", "carried out"])
def test_failure_02_a_server_killed_in_mid_answer_is_waited_for(
    server: ClickHousePlace, front: Front, sink: ClickHouseSink, applied: bool
) -> None:
    cuts = (0, 9, 14, 23, 60, 121, 182, 243, 304, 365, 426, 480)
    for number, cut in enumerate(cuts):
        written = block(f"t{number}", 5, start=5 * number)
        front.faults.append(Fault(INSERT, cut=cut, applied=applied, status=200))
        sink.write(written)
        front.faults.append(Fault("SELECT", cut=cut, applied=True, status=200))
        sink.complete(written)
        assert front.faults == []
    assert len(server.rows(TABLE)) == 5 * len(cuts)


def _outcome(ask: Callable[[], object]) -> tuple[object, Exception | None]:
    try:
        return ask(), None
    except Exception as error:  # whatever kind: the test looks at it
        return None, error


@pytest.mark.slow
def test_failure_02_no_cut_of_an_answer_is_taken_for_a_result(server: ClickHousePlace, front: Front) -> None:
    with closing(connect(server.endpoint, PASSWORD)) as client:
        questions: dict[str, Callable[[], object]] = {
            "query": lambda: client.query("SELECT number FROM numbers(3)").result_rows,
            "command": lambda: client.command("SELECT 7"),
            "statement": lambda: client.command("DROP TABLE IF EXISTS nobody"),
            "raw": lambda: client.raw_query("SELECT 7", fmt="TSV"),
        }
        for name, ask in questions.items():
            whole = repr(ask()) if name != "statement" else None
            refused = 0
            for cut in range(12, 640, 9):
                front.faults.append(Fault("", cut=cut, applied=True, status=200))
                found, error = _outcome(ask)
                if error is not None:
                    refused += 1
                    assert classify(error) is ErrorKind.RETRY, (name, cut)
                else:
                    assert whole is None or repr(found) == whole, (name, cut)
                front.faults.clear()
            assert refused > 45, name


def test_failure_02_a_sink_does_not_open_over_a_foreign_answer(server: ClickHousePlace, front: Front) -> None:
    for raw, told in FOREIGN.values():
        front.faults[:] = [Fault("", answer=raw)] * 20
        with closing(server.sink()) as sink, pytest.raises(SinkUnavailable) as refusal:
            sink.open([TABLE])
        assert "not an answer of ClickHouse's own" in str(refusal.value)
        assert told in str(refusal.value)
        assert "check the address, and what stands between" in str(refusal.value)
        assert "\n" not in str(refusal.value)


def test_failure_02_a_start_finds_out_that_inserts_are_not_answered(server: ClickHousePlace, front: Front) -> None:
    front.faults += [Fault(INSERT, answer=PAGE)] * 20
    with closing(server.sink()) as sink, pytest.raises(SinkUnavailable, match=r"an insert gets .*no X-ClickHouse-S"):
        sink.open([TABLE])


@pytest.mark.parametrize("code", [242, 252])
def test_a_server_that_takes_nothing_now_does_not_hinder_the_start(
    server: ClickHousePlace, front: Front, code: int
) -> None:
    front.faults.append(Fault(INSERT, code))
    with closing(server.sink()) as sink:
        sink.open([TABLE])
    assert front.faults == []


@pytest.mark.parametrize("missing", ["X-ClickHouse-Server-Display-Name: h\r\n", "X-ClickHouse-Query-Id: 1\r\n"])
def test_failure_02_a_proxy_may_keep_one_of_the_names_to_itself(
    server: ClickHousePlace, front: Front, sink: ClickHouseSink, missing: str
) -> None:
    front.faults.append(Fault(INSERT, answer=answer("200 OK", OWN.replace(missing, "")), applied=True))
    with structlog.testing.capture_logs() as logged:
        sink.write(block("t", 5))
    assert logged == []
    assert len(server.rows(TABLE)) == 5


def test_failure_02_rows_are_sent_to_nobody_that_an_answer_names(
    server: ClickHousePlace, front: Front, sink: ClickHouseSink
) -> None:
    elsewhere = f"Location: http://127.0.0.1:{front.port}/elsewhere\r\n"
    front.faults.append(Fault(INSERT, answer=answer("307 Temporary Redirect", elsewhere)))
    front.statements.clear()
    sink.write(block("t", 5))
    assert len(server.rows(TABLE)) == 5
    inserts = [statement for statement in front.statements if statement.startswith(INSERT)]
    assert len(inserts) == 2, "the one that was sent on, and the one that was tried again"


def test_failure_02_schema_apply_makes_nothing_of_a_page(
    engine: Client, front: Front, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(
        clickhouse=ClickHouseSettings(database=database, password=PASSWORD),
        lpa=ProcessSettings(data_dir=tmp_path / "data"),
    )
    apply = partial(
        schema_app(PluginManager(settings).context),
        ["apply", "--sink", f"clickhouse://{USER}@127.0.0.1:{front.port}/{database}"],
        result_action="return_value",
        exit_on_error=False,
    )
    for statement in ("", "CREATE"):
        front.faults[:] = [Fault(statement, answer=PAGE)] * 200
        with pytest.raises(SinkUnavailable, match="not an answer of ClickHouse's own: status 200, server nginx"):
            apply()
    front.faults.clear()
    assert "made" not in capsys.readouterr().out
    assert engine.query("SELECT name FROM system.tables WHERE database = {d:String}", {"d": database}).result_rows == []


@pytest.mark.parametrize("status", [405, 407, 413])
def test_what_a_proxy_never_passes_on_is_not_sent_for_ever(front: Front, sink: ClickHouseSink, status: int) -> None:
    front.faults.append(Fault(INSERT, status=status))
    with pytest.raises(SinkMisconfigured, match=f"status {status}"):
        sink.write(block("t", 1))


def test_failure_02_a_page_that_repeats_the_request_is_not_told(front: Front, sink: ClickHouseSink) -> None:
    login = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    front.faults += [
        Fault(INSERT, answer=answer("200 OK", "", f"You sent: Authorization: Basic {login}")),
        Fault(INSERT, answer=answer("404 Not Found", "", "Cannot POST /?param_key=secret&session_id=1 here")),
    ]
    with structlog.testing.capture_logs() as logged:
        sink.write(block("t", 1))
    told = [entry["reason"] for entry in logged]
    assert login not in told[0]
    assert "secret" not in told[1]
    assert "Cannot POST /?..." in told[1]


def test_a_description_is_one_line_of_what_stood_between() -> None:
    assert describe(NotClickHouseError(200, "not an answer of ClickHouse's own: status 200")).endswith("status 200")


# What real servers sent.


@attrs.frozen
class Recorded:
    kind: str
    head: list[str]
    body: bytes

    @property
    def raw(self) -> bytes:
        """As it went over the wire."""
        body = self.body
        if any(line.lower() == "transfer-encoding: chunked" for line in self.head):
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        return "\r\n".join(self.head).encode() + b"\r\n\r\n" + body


def _recorded() -> dict[str, Recorded]:
    text = (Path(__file__).parent / "recorded_answers.txt").read_text()
    found = {}
    for part in text.split("===== ")[1:]:
        title, _, rest = part.partition("\n")
        name, _, kind = title.rpartition(": ")
        _, _, recorded = rest.partition("\n")
        head, _, body = recorded.partition("\n\n")
        found[name] = Recorded(kind, head.split("\n"), f"{body.strip()}\n".encode() if body.strip() else b"")
    return found


RECORDED = _recorded()


class _Socket:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._raw)


def read(raw: bytes) -> str | None:
    """What is held against an answer that ends with these bytes."""
    response = HTTPResponse(cast("object", _Socket(raw)))  # type: ignore[arg-type]  # it needs no more of a socket
    try:
        response.begin()
        return why_not(response.status, response.headers, response.read())
    except HTTPException as error:
        return f"broken: {error!r}"


@pytest.mark.parametrize("name", RECORDED)
def test_failure_02_recorded_answers_are_judged_as_what_they_were(name: str) -> None:
    recorded = RECORDED[name]
    held = read(recorded.raw)
    if "HTTP/1.0" in recorded.head[0]:
        assert held == "nothing that says where it ends"
        recorded = attrs.evolve(recorded, head=[*recorded.head, "Transfer-Encoding: chunked"])
        recorded.head[0] = "HTTP/1.1 200 OK"
        held = read(recorded.raw)
    expected = {
        "success": None,
        "error": None,
        "error after success": "an error after the headers of success",
        "foreign": "no X-ClickHouse-Summary",
    }
    assert held == expected[recorded.kind]


@pytest.mark.parametrize("name", [name for name, recorded in RECORDED.items() if recorded.kind == "success"])
def test_failure_02_no_beginning_of_a_recorded_answer_is_success(name: str) -> None:
    """Whatever the order of headers, and wherever the server died."""
    raw = RECORDED[name].raw
    end = len(raw) - len(b"0\r\n\r\n")
    assert [length for length in range(end + 1) if read(raw[:length]) is None] == []


HEADERS = st.dictionaries(
    st.sampled_from(["Content-Type", "Server", "Content-Length", "Transfer-Encoding", "X-Request-Id", "ETag"]),
    st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=20),
)


@given(status=st.integers(100, 599), headers=HEADERS, body=st.binary(max_size=300))
def test_failure_02_nothing_without_headers_of_clickhouse_is_success(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    assert why_not(status, headers, body) is not None


def test_failure_02_the_stand_in_sends_the_headers_of_a_real_server(server: ClickHousePlace, front: Front) -> None:
    """In the order and with the values of what was recorded, as far as values do not depend on the moment."""
    with closing(connect(server.endpoint, PASSWORD)) as client:
        pool = client.http  # type: ignore[attr-defined]  # of the client over HTTP
        headers = client.headers  # type: ignore[attr-defined]
        response = pool.request(
            "POST",
            client.url,
            headers=headers,
            body="SELECT 1",
            preload_content=True,  # type: ignore[attr-defined]
        )
    sent = [line.partition(":")[0] for line in RECORDED["select 24.8"].head[1:]]
    assert list(response.headers) == sent
    assert re.fullmatch(r"timeout=\d+, max=\d+", response.headers["Keep-Alive"])
    assert response.data == b"1\n"
