"""The sink on a server, over HTTP."""

from __future__ import annotations

import time
from contextlib import closing

import attrs
import pytest

from lpa_core.release import WrongClockError
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_core.testing.sink_suite import (
    OTHER_TABLE,
    TABLE,
    DriftContract,
    KnownGapsContract,
    NewestTimeContract,
    RefusalContract,
    SinkContract,
    StoredOffsetsContract,
    block,
)
from lpa_sinks.clickhouse.client import Endpoint
from lpa_sinks.sink.sink import ClickHouseSink
from lpa_sinks.testing.http_front import USER, Front
from lpa_sinks.testing.places import ClickHousePlace


class TestServerSink(SinkContract, StoredOffsetsContract, NewestTimeContract, RefusalContract, DriftContract):
    @pytest.fixture
    def place(self, server: ClickHousePlace) -> ClickHousePlace:
        return server


class TestKnownGapsOfServer(KnownGapsContract):
    @pytest.fixture
    def place(self, server: ClickHousePlace) -> ClickHousePlace:
        return server


def test_a_profile_that_splits_delays_and_forgets_inserts_changes_nothing(
    server: ClickHousePlace, front: Front
) -> None:
    front.profile = {
        "async_insert": "1",
        "insert_deduplicate": "0",
        "deduplicate_insert": "disable",
        "use_strict_insert_block_limits": "1",
        "max_insert_block_size": "10",
        "max_partitions_per_insert_block": "1",
        "lightweight_deletes_sync": "0",
        "mutations_sync": "0",
    }
    with closing(server.sink()) as sink:
        sink.open([TABLE, OTHER_TABLE])
        for _ in range(2):
            sink.write(block("t", 1000))
        assert len(server.rows(TABLE)) == 1000
        sink.withdraw(TABLE, "events", 0, [1])
        assert len(server.rows(TABLE)) == 999
    where = f"database = '{server.endpoint.database}' AND table = '{TABLE.name}'"
    assert server.query(f"SELECT max(rows) FROM system.parts WHERE {where} AND level = 0") == [(1000,)]


def test_inserts_say_that_they_wait_and_carry_the_token(server: ClickHousePlace, front: Front) -> None:
    with closing(server.sink()) as sink:
        sink.open([TABLE])
        sink.write(block("a token", 1))
    assert front.statements[-1].startswith("INSERT INTO")
    assert front.parameters[-1]["async_insert"] == "0"
    assert front.parameters[-1]["deduplicate_blocks_in_dependent_materialized_views"] == "1"
    assert front.parameters[-1]["insert_deduplication_token"] == "a token"


def test_nothing_is_deleted_where_nothing_is_found(server: ClickHousePlace, front: Front) -> None:
    with closing(server.sink()) as sink:
        sink.open([TABLE])
        sink.write(block("t", 1))
        sink.withdraw(TABLE, "events", 0, [5])
        assert not any("DELETE" in statement for statement in front.statements)
        sink.withdraw(TABLE, "events", 0, [0])
        assert any("DELETE" in statement for statement in front.statements)


def test_a_table_without_a_window_is_refused_when_the_sink_is_opened(server: ClickHousePlace) -> None:
    server.change(TABLE, "MODIFY SETTING non_replicated_deduplication_window = 0")
    with closing(server.sink()) as sink, pytest.raises(SinkMisconfigured, match="stored twice"):
        sink.open([TABLE])


def test_a_column_more_than_expected_is_no_obstacle(server: ClickHousePlace) -> None:
    server.change(TABLE, "ADD COLUMN note String DEFAULT 'none'")
    with closing(server.sink()) as sink:
        sink.open([TABLE])
        sink.write(block("t", 2))
    assert server.query(f"SELECT note FROM {server.name(TABLE)}") == [("none",), ("none",)]


def test_a_server_that_does_not_answer_is_named(server: ClickHousePlace) -> None:
    nowhere = attrs.evolve(server.endpoint, url="http://127.0.0.1:9")
    with pytest.raises(SinkUnavailable) as failure:
        ClickHouseSink(nowhere).open([TABLE])
    assert str(failure.value) == (
        "http://127.0.0.1:9: ClickHouse does not answer: Connection refused: start it, or check the address in --sink "
        "or CLICKHOUSE_URL"
    )


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), (USER, ""), ("somebody", "a password")])
def test_a_refused_login_is_named_without_the_password(server: ClickHousePlace, user: str, password: str) -> None:
    with pytest.raises(SinkMisconfigured) as failure:
        ClickHouseSink(attrs.evolve(server.endpoint, user=user), password).open([TABLE])
    assert str(failure.value) == (
        f"{server.endpoint.url}: ClickHouse refuses user '{user}': AUTHENTICATION_FAILED (code 516): "
        "check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD"
    )


def test_a_database_that_is_missing_is_named(server: ClickHousePlace) -> None:
    elsewhere = ClickHousePlace(server.engine, attrs.evolve(server.endpoint, database="nowhere"))
    with closing(elsewhere.sink()) as sink, pytest.raises(SinkMisconfigured, match="none of the tables is there"):
        sink.open([TABLE])


def test_its_text_holds_no_password(server: ClickHousePlace) -> None:
    sink = ClickHouseSink(Endpoint("d", url="http://h:1", user="u"), "a password")
    assert repr(sink) == "ClickHouseSink(http://h:1)"


def test_failure_06_a_clock_that_is_ahead_of_the_servers_is_noticed_at_the_start(
    server: ClickHousePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time_ns

    def open_ahead_by(seconds: int) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: right() + seconds * 1_000_000_000)
        with closing(server.sink()) as sink:
            sink.open([TABLE])

    open_ahead_by(240)
    open_ahead_by(-86_400)  # what it stores or finds proves it wrong
    for seconds in (360, 86_400, 2_300_000_000):
        with pytest.raises(
            WrongClockError, match=r"the clock of this machine says .*, and ClickHouse's .*: set the one"
        ):
            open_ahead_by(seconds)
