"""The read API over HTTP: who may read, in which form, and what is said when nothing can be."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import pytest
import structlog
from clickhouse_connect.driver.exceptions import DatabaseError
from starlette.testclient import TestClient

from lpa_ops.read_api.app import read_api
from lpa_ops.read_api.database import StoredRows
from lpa_ops.read_api.openapi import document
from lpa_ops.read_api.problem import ReadRefused
from lpa_ops.read_api.routes import ROUTES
from lpa_sinks.clickhouse.client import endpoint
from lpa_sinks.clickhouse.readers import Readers

TOKEN = "0123456789abcdef"
NOW = 1_767_900_000_000
ORCHESTRATORS = "/v1/streaming/orchestrators"
COLUMNS = ("org", "address", "uri", "models", "gpu_count", "last_seen")
ROW = ("", "0xcan", "https://a.test:1", ["m", "n"], 2, datetime(2026, 1, 8, 12))


class Stored:
    """A database with one row for every statement, or with an end of its own."""

    def __init__(self, *rows: Sequence[Any], error: Exception | None = None) -> None:
        self.given, self.error = rows, error
        self.asked: list[Mapping[str, Any]] = []

    def rows(self, sql: str, parameters: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        self.asked.append(parameters)
        if self.error is not None:
            raise self.error
        return COLUMNS, self.given


def client(stored: Any = None, token: str = "") -> TestClient:
    app = read_api(stored or Stored(ROW), token, lambda: NOW)
    return TestClient(app, raise_server_exceptions=False)


def problem(answer: Any, status: HTTPStatus) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert (said["type"], said["title"], said["status"]) == ("about:blank", status.phrase, status.value)
    return str(said["detail"])


def test_rows_are_json_unless_csv_is_asked_for() -> None:
    api = client()
    answer = api.get(ORCHESTRATORS)
    expected = dict(zip(COLUMNS, [*ROW[:5], "2026-01-08T12:00:00.000Z"], strict=True))
    assert (answer.headers["content-type"], answer.json()) == ("application/json", [expected])
    answer = api.get(ORCHESTRATORS, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [*csv.reader(io.StringIO(answer.text))] == [
        [*COLUMNS], ["", "0xcan", "https://a.test:1", "m n", "2", "2026-01-08T12:00:00.000Z"],
    ]  # fmt: skip


def test_what_is_no_list_has_no_csv() -> None:
    said = problem(client().get("/v1/dashboard/kpi", headers={"Accept": "text/csv"}), HTTPStatus.NOT_ACCEPTABLE)
    assert said == "this is offered as application/json: accept one of them"


def test_a_client_that_holds_the_answer_gets_no_body() -> None:
    stored = Stored(ROW)
    api = client(stored)
    first = api.get(ORCHESTRATORS)
    again = api.get(ORCHESTRATORS, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    stored.given = (*stored.given, ROW)
    assert api.get(ORCHESTRATORS, headers={"If-None-Match": first.headers["etag"]}).status_code == 200
    as_csv = api.get(ORCHESTRATORS, headers={"If-None-Match": first.headers["etag"], "Accept": "text/csv"})
    assert as_csv.status_code == 200, "CSV is another answer"


@pytest.mark.parametrize("sent", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ÿ"])
def test_with_a_token_nobody_reads_without_it(sent: str | None) -> None:
    stored = Stored(ROW)
    api = client(stored, TOKEN)
    answer = api.get(ORCHESTRATORS, headers={"Authorization": sent.encode("latin-1")} if sent else {})
    assert problem(answer, HTTPStatus.UNAUTHORIZED).startswith("send the token of LPA_SERVE_TOKEN")
    assert answer.headers["www-authenticate"] == 'Bearer realm="lpa"'
    assert stored.asked == []
    assert api.get(ORCHESTRATORS, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_nothing_can_be_sent() -> None:
    api = client()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = api.request(method, ORCHESTRATORS)
        assert problem(answer, HTTPStatus.METHOD_NOT_ALLOWED) == "this API only reads: use GET"
        assert "GET" in answer.headers["allow"]
    assert api.head(ORCHESTRATORS).status_code == 200
    assert api.head(ORCHESTRATORS).content == b""


def test_what_is_not_there_is_a_problem() -> None:
    assert problem(client().get("/v1/nothing"), HTTPStatus.NOT_FOUND) == "there is nothing here: / lists the routes"


def test_a_refusal_of_the_database_is_a_problem() -> None:
    refused = ReadRefused(HTTPStatus.SERVICE_UNAVAILABLE, "this takes too long", {"Retry-After": "5"})
    answer = client(Stored(error=refused)).get(ORCHESTRATORS)
    assert problem(answer, HTTPStatus.SERVICE_UNAVAILABLE) == "this takes too long"
    assert answer.headers["retry-after"] == "5"


def test_a_fault_is_logged_and_shows_nothing() -> None:
    with structlog.testing.capture_logs() as logs:
        answer = client(Stored(error=RuntimeError("a secret"))).get(ORCHESTRATORS)
    assert "a secret" not in problem(answer, HTTPStatus.INTERNAL_SERVER_ERROR)
    assert [line["event"] for line in logs] == ["the read API failed"]


def test_a_database_that_is_not_there_is_told_without_its_address(engine_path: Any) -> None:
    readers = Readers(endpoint("http://127.0.0.1:9/x", database="x", user="somebody"), "", 1)
    with structlog.testing.capture_logs() as logs:
        answer = client(StoredRows(readers, "x", 1)).get(ORCHESTRATORS)
    said = problem(answer, HTTPStatus.SERVICE_UNAVAILABLE)
    assert said == "the database cannot be read now: ask again, or see the log of lpa serve"
    assert "127.0.0.1:9" in logs[0]["reason"]


@pytest.mark.parametrize("route", ["streaming/gpu-metrics", "streaming/orchestrators"])
def test_a_database_of_an_earlier_version_is_told_what_it_needs(engine: Any, engine_path: Any, route: str) -> None:
    """The database ``system`` has none of the views."""
    readers = Readers(endpoint(f"chdb://{engine_path}", database="", user=""), "", 30)
    with structlog.testing.capture_logs() as logs:
        answer = client(StoredRows(readers, "system", 30)).get(f"/v1/{route}")
    readers.close()
    assert problem(answer, HTTPStatus.SERVICE_UNAVAILABLE).endswith("this version reads: run `lpa schema apply`")
    assert {line["event"] for line in logs} == {"a statement of the read API failed"}


def test_a_statement_that_takes_too_long_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: Readers, action: Callable[[Any], Any]) -> Any:
        error = DatabaseError("Code: 159. DB::Exception: Timeout exceeded")
        error.code = 159
        raise error

    monkeypatch.setattr(Readers, "run", run)
    readers = Readers(endpoint("http://127.0.0.1:9/x", database="x", user="somebody"), "", 1)
    answer = client(StoredRows(readers, "x", 1)).get(ORCHESTRATORS)
    assert problem(answer, HTTPStatus.SERVICE_UNAVAILABLE) == "this takes too long: ask for less at once"
    assert answer.headers["retry-after"] == "5"


def test_the_document_and_its_page_are_shipped() -> None:
    api = client(token=TOKEN)
    described = api.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert described["security"] == [{"token": []}]
    assert [*described["paths"]] == [f"/v1/{route.path}" for route in ROUTES]
    page = api.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for route in ROUTES:
        assert f"/v1/{route.path}<" in page.text
        assert all(f"<code>{parameter.name}</code>" in page.text for parameter in route.parameters)
    assert "src=" not in page.text
    assert "http" not in page.text.replace("https://a", "").partition("<h2>")[0]


def test_too_many_requests_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpa_ops.read_api.app._AT_ONCE", 0)
    monkeypatch.setattr("lpa_ops.read_api.app._WAITING", 0)
    app = client()
    answer = app.get(ORCHESTRATORS)
    assert problem(answer, HTTPStatus.SERVICE_UNAVAILABLE) == "too many requests wait: ask again soon"
    assert answer.headers["retry-after"] == "1"


def test_every_parameter_is_described() -> None:
    described = document(ROUTES, "1", token=False)
    assert json.dumps(described)
    operations: list[Callable[..., Any]] = [item["get"]["operationId"] for item in described["paths"].values()]
    assert len(set(operations)) == len(ROUTES)
