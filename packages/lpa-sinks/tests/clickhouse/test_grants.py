"""Grants of a ClickHouse server that are missing. The embedded engine has no users: the answers of one are made up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from clickhouse_connect.driver.exceptions import DatabaseError

from lpa_sinks.clickhouse.client import connect
from lpa_sinks.sink.grants import GLOBAL_GRANTS, GRANTS, missing
from lpa_sinks.testing.http_front import PASSWORD
from lpa_sinks.testing.places import ClickHousePlace


class _Client:
    """Answers CHECK GRANT as a server does whose user lacks some."""

    def __init__(self, *lacking: str, error: Exception | None = None) -> None:
        self._lacking, self._error = lacking, error
        self.asked: list[str] = []

    def query(self, statement: str) -> Any:
        self.asked.append(statement)
        if self._error is not None:
            raise self._error
        return SimpleNamespace(result_rows=[(int(not any(each in statement.upper() for each in self._lacking)),)])


def lacking(client: Any) -> list[str]:
    return missing(client, "livepeer_analytics")


def test_failure_15_each_grant_that_is_missing_is_named() -> None:
    for grant in GRANTS:
        assert lacking(_Client(f"GRANT {grant} ")) == [f"{grant} ON `livepeer_analytics`.*"]
    for grant in GLOBAL_GRANTS:
        assert lacking(_Client(f"GRANT {grant} ")) == [f"{grant} ON *.*"]
    assert lacking(_Client()) == []


def test_failure_15_a_server_that_cannot_be_asked_is_let_pass() -> None:
    assert lacking(_Client(error=DatabaseError("Syntax error"))) == []


def test_failure_15_the_engine_takes_the_questions(server: ClickHousePlace) -> None:
    client = connect(server.endpoint, PASSWORD)
    try:
        for grant in (*GRANTS, *GLOBAL_GRANTS):
            where = "*.*" if grant in GLOBAL_GRANTS else "some.*"
            assert client.query(f"CHECK GRANT {grant.lower()} ON {where}").first_row[0] == 1
    finally:
        client.close()
