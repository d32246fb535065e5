"""The query box reads, within limits that no statement lifts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from lpa_ops.console.page import ConsoleSources
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_ops.testing.page_text import page


@pytest.fixture
def run(opened: Callable[..., TestClient], sources: ConsoleSources) -> Callable[..., Any]:
    browser = opened(sources)
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', browser.get("/query").text)
    assert found
    token = found[1]

    def posted(sql: str, path: str = "/query.json", form_token: str = token) -> Any:
        return browser.post(path, data={"sql": sql, "form_token": form_token})

    return posted


def test_a_statement_that_reads_has_its_rows(run: Callable[..., Any], day: CheckedDatabase) -> None:
    answer = run("SELECT count() AS events, 'ä' AS text, NULL AS nothing FROM streaming_events").json()
    events = day.query("SELECT count() FROM day.streaming_events")[0][0]
    assert (answer["columns"], answer["rows"]) == (["events", "text", "nothing"], [[events, "ä", None]])
    found = page(run("SELECT '<script>' AS x, 'a\u202eb' AS y", "/query"))
    assert "<script> a\\u202eb" in found.text
    assert "1 row" in found.text


def test_more_rows_than_a_page_holds_are_said(run: Callable[..., Any]) -> None:
    answer = run("SELECT number FROM numbers(5000)").json()
    assert (len(answer["rows"]), answer["more"]) == (1000, True)
    assert "only the first 1,000 are shown" in page(run("SELECT number FROM numbers(5000)", "/query")).text
    assert "The statement found no rows" in page(run("SELECT 1 WHERE 0", "/query")).text


@pytest.mark.parametrize("sql", [
    "DROP TABLE streaming_events",
    "INSERT INTO streaming_events (id) VALUES ('x')",
    "ATTACH TABLE x",
    "SYSTEM FLUSH LOGS",
    "SELECT 1; SELECT 2",
    "SELECT 1 INTO OUTFILE '{file}'",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:9/x', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:9', system.one)",
    "SELECT file('/etc/passwd')",
    "SELECT FILE /* */ ('/etc/passwd')",
    "SELECT `file`('/etc/passwd'), \"file\"('/etc/passwd')",
    "SELECT `\\x66ile`('/etc/passwd')",
    "SELECT \u201cfile\u201d('/etc/passwd')",
    "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
    "SELECT * APPLY file FROM (SELECT '/etc/passwd')",
    "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    "SELECT arrayMap(`file`, ['/etc/passwd'])",
    "SELECT file\u200b('/etc/passwd')",
    "DESCRIBE url\u200b('http://127.0.0.1:9/')",
    "EXPLAIN SELECT file('/etc/passwd')",
    "SELECT $a$'$a$, file('/etc/passwd'), $b$'$b$",
    "SELECT \u2018'\u2019, file('/etc/passwd'), \u2018'\u2019",
    "SELECT $$'$$, 1 FROM (SELECT 1 SETTINGS max_execution_time = 0) WHERE '' != $$'$$",
    "DESCRIBE file('/etc/passwd', 'CSVWithNames')",
    "desc table file('/etc/passwd', 'CSVWithNames')",
    "DESCRIBE TABLE url('http://127.0.0.1:9/')",
    "DESCRIBE `url`('http://127.0.0.1:9/')",
    "DESCRIBE (SELECT * FROM url('http://127.0.0.1:9/'))",
    "SELECT * FROM (SELECT 1 SETTINGS use_uncompressed_cache, max_execution_time = 0)",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_execution_time = 0",
    "SELECT 1 SETTINGS max_memory_usage = 0",
    "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
    "WITH x AS (SELECT 1) INSERT INTO streaming_events (id) SELECT 'x'",
    "",
    "nonsense",
])  # fmt: skip
def test_what_does_more_than_read_is_refused(run: Callable[..., Any], sql: str, tmp_path: Path) -> None:
    sql = sql.format(file=tmp_path / "written") if "{file}" in sql else sql
    answer = run(sql)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    shown = run(sql, "/query")
    found = page(shown, 400)
    assert answer.json()["detail"].split()[0] in found.text, "beside what was typed"
    assert not (tmp_path / "written").exists()
    assert "root:" not in shown.text


@pytest.mark.parametrize("sql", ["SELECT sumState(1)", f"SELECT {'[' * 900}1{']' * 900}"], ids=["state", "nested"])
def test_a_result_that_cannot_be_shown_is_the_statements_fault(run: Callable[..., Any], sql: str) -> None:
    answer = run(sql)
    assert answer.status_code == 400
    assert "cannot be shown: convert it" in answer.json()["detail"]


def test_names_and_texts_may_say_what_calls_may_not(run: Callable[..., Any]) -> None:
    answer = run("SELECT 'file(x)' AS files, $a$SETTINGS a = 1; it's$a$ AS `of file`, 1 AS a$b").json()
    assert (answer["columns"], answer["rows"]) == (
        ["files", "of file", "a$b"],
        [["file(x)", "SETTINGS a = 1; it's", 1]],
    )


@pytest.mark.parametrize("sql", [
    "SELECT '" + "\\'" * 50_000 + "\\",
    "SELECT `" + "\\`" * 50_000,
    'SELECT "' + '\\"' * 50_000,
    "SELECT " + "/* " * 50_000,
    "SELECT " + "\u2018" * 50_000,
    "SELECT " + "".join(f"$a{number}$ " for number in range(20_000)),
])  # fmt: skip
def test_quotes_that_do_not_end_are_refused_at_once(run: Callable[..., Any], sql: str) -> None:
    began = time.process_time()
    assert run(sql).status_code == 400
    assert time.process_time() - began < 5


@pytest.mark.parametrize("sql", [
    "DESCRIBE TABLE streaming_events",
    "DESC (SELECT lower(id) FROM streaming_events)",
    "SELECT name AS settings FROM system.tables ORDER BY settings DESC, lower(settings)",
])  # fmt: skip
def test_tables_and_queries_are_described(run: Callable[..., Any], sql: str) -> None:
    assert run(sql).json()["rows"]


def test_a_statement_outlasts_no_limit(run: Callable[..., Any]) -> None:
    answer = run("SELECT sum(a.number * b.number) FROM numbers(10000000) AS a CROSS JOIN numbers(100000) AS b")
    assert answer.status_code == 400
    assert "takes more than it may" in answer.json()["detail"]


def test_an_address_fills_the_box_and_runs_nothing(browser: TestClient) -> None:
    answer = browser.get("/query?sql=" + quote("SELECT </textarea><script>"))
    assert "SELECT </textarea><script>" in page(answer).text
    assert "rows" not in page(answer).text.replace("1,000 rows", "")
    assert browser.get("/query.json?sql=SELECT+1").json() == {}


def test_only_a_form_of_the_console_runs_a_statement(run: Callable[..., Any]) -> None:
    assert run("SELECT 1", form_token="").status_code == 403
    assert run("SELECT 1", form_token="0" * 64).status_code == 403
