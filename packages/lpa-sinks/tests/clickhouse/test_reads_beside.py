"""Reads of the embedded database from beside the process that has it open, and whoever comes then."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_sinks.clickhouse import readers
from lpa_sinks.clickhouse.client import endpoint
from lpa_sinks.clickhouse.opening_lock import needed
from lpa_sinks.clickhouse.read_only import ask
from lpa_sinks.clickhouse.read_server import ReadServer
from lpa_sinks.clickhouse.read_socket import NAME, ask_to_give_way, read_client, reads_are_offered
from lpa_sinks.clickhouse.readers import Readers
from lpa_sinks.clickhouse.retries import AT_ONCE


@pytest.fixture(scope="module")
def numbers(engine: Client) -> Iterator[str]:
    """The name of a database with a table of three numbers."""
    engine.command("CREATE DATABASE IF NOT EXISTS read_beside")
    engine.command("CREATE OR REPLACE TABLE read_beside.t (a Int64, b String) ORDER BY a")
    engine.command("INSERT INTO read_beside.t VALUES (1, 'x'), (2, 'y'), (3, 'z')")
    yield "read_beside"
    engine.command("DROP DATABASE read_beside SYNC")


@pytest.fixture
def offered(engine_path: Path, numbers: str) -> Iterator[ReadServer]:
    server = ReadServer(engine_path)
    server.start()
    yield server
    server.close()


@pytest.fixture
def beside(engine_path: Path, offered: ReadServer) -> Iterator[Client]:
    """A client as another process has it."""
    client = read_client(engine_path, 30)
    yield client
    client.close()


@pytest.fixture
def readers_of(engine_path: Path, numbers: str) -> Iterator[Callable[[], Readers]]:
    made: list[Readers] = []

    def one() -> Readers:
        made.append(Readers(endpoint(f"chdb://{engine_path}", database="", user=""), "", 30))
        return made[-1]

    yield one
    for each in made:
        each.close()


def total(client: Client) -> Any:
    return client.query("SELECT sum(a) FROM read_beside.t").first_row[0]


def test_what_is_read_beside_is_what_is_stored(beside: Client) -> None:
    result = beside.query(
        "SELECT a, b, toDateTime64(a, 3, 'UTC') AS c FROM read_beside.t WHERE a >= {least:Int64} ORDER BY a",
        parameters={"least": 2},
        settings={"limit": 1},
    )
    assert result.column_names == ("a", "b", "c")
    assert [row[:2] for row in result.result_rows] == [(2, "y")]
    assert ask(beside, "read_beside", "SELECT b FROM t ORDER BY a", 2, 5).rows == [("x",), ("y",)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00")))
def test_parameters_arrive_as_they_are(beside: Client, text: str) -> None:
    for sent in (text, text + "long " * 1000):
        assert beside.query("SELECT {text:String}", parameters={"text": sent}).first_row[0] == sent


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO read_beside.t VALUES (4, '')",
        "INSERT INTO FUNCTION file('stolen.csv', 'CSV') SELECT * FROM read_beside.t",
        "WITH t AS (SELECT 1) INSERT INTO FUNCTION file('stolen.csv', 'CSV') SELECT * FROM t",
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 INTO OUTFILE 'stolen.csv'",
        "DROP TABLE read_beside.t",
        "SET readonly = 0",
        "SYSTEM SHUTDOWN",
        "SELECT 1 SETTINGS readonly = 0",
    ],
)
def test_nothing_can_be_changed(beside: Client, statement: str) -> None:
    with pytest.raises(DatabaseError, match="READONLY"):
        beside.command(statement)
    assert total(beside) == 6


def test_limits_hold_whatever_a_client_asks(beside: Client) -> None:
    held = beside.query(
        "SELECT getSetting('max_execution_time'), getSetting('max_memory_usage'), getSetting('readonly')",
        settings={"max_execution_time": 9999, "max_memory_usage": 0},
    ).first_row
    assert [int(value) for value in held] == [20, 1 << 30, 1]
    with pytest.raises(DatabaseError) as error:
        beside.query("SELECT repeat('x', 1000000) FROM numbers(100)")
    assert error.value.code == 396  # TOO_MANY_ROWS_OR_BYTES


def test_an_error_keeps_its_code(beside: Client) -> None:
    with pytest.raises(DatabaseError) as error:
        beside.query("SELECT * FROM read_beside.nothing")
    assert error.value.code == 60  # UNKNOWN_TABLE
    with pytest.raises(ClickHouseError, match="the name"):
        ask(beside, "a`b", "SELECT 1", 1, 1)


def test_only_the_owner_of_the_folder_can_use_the_socket(engine_path: Path, offered: ReadServer) -> None:
    assert stat.S_IMODE((engine_path / NAME).stat().st_mode) == 0o600


def test_nobody_offers_reads_after_the_end(engine_path: Path, offered: ReadServer) -> None:
    assert reads_are_offered(engine_path)
    offered.close()
    assert not reads_are_offered(engine_path)
    assert not (engine_path / NAME).exists()
    offered.close()


def test_a_later_process_takes_the_socket_over(engine_path: Path, offered: ReadServer) -> None:
    program = (
        "import sys; from pathlib import Path; from lpa_sinks.clickhouse.read_server import ReadServer\n"
        "server = ReadServer(Path(sys.argv[1])); server.start(); print(flush=True); input(); server.close()"
    )
    command = [sys.executable, "-c", program, engine_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as later:
        assert later.stdout is not None
        later.stdout.readline()
        offered.close()
        assert reads_are_offered(engine_path), "the earlier one leaves the socket of the later one alone"
        later.communicate("\n", timeout=30)
    assert not reads_are_offered(engine_path)


@pytest.mark.parametrize("first_ends", [True, False])
def test_reads_are_offered_until_the_last_holder_of_a_process_has_ended(
    engine_path: Path, offered: ReadServer, beside: Client, first_ends: bool
) -> None:
    another = ReadServer(engine_path)
    another.start()
    ends, stays = (offered, another) if first_ends else (another, offered)
    ends.close()
    assert total(beside) == 6
    assert reads_are_offered(engine_path)
    stays.close()
    assert not (engine_path / NAME).exists()


def test_holders_that_come_and_go_take_nothing_from_one_that_stays(engine_path: Path, offered: ReadServer) -> None:
    before = threading.active_count()
    missed: list[str] = []

    def comes_and_goes() -> None:
        for _ in range(20):
            server = ReadServer(engine_path, lambda: None)
            server.start()
            if not reads_are_offered(engine_path):
                missed.append("while it is there")
            server.close()
            if not reads_are_offered(engine_path):
                missed.append("when it has ended")

    with structlog.testing.capture_logs() as logs:
        threads = [threading.Thread(target=comes_and_goes) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert (missed, logs) == ([], [])
    wait_until(lambda: threading.active_count() <= before)


def test_a_holder_that_comes_while_the_last_one_ends_offers_reads(engine_path: Path, numbers: str) -> None:
    before = threading.active_count()
    for _ in range(50):
        one, other = ReadServer(engine_path), ReadServer(engine_path)
        one.start()
        ending = threading.Thread(target=one.close)
        ending.start()
        other.start()
        ending.join(30)
        assert reads_are_offered(engine_path)
        other.close()
    wait_until(lambda: threading.active_count() <= before)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, threading.enumerate()
        time.sleep(0.01)


def test_a_folder_whose_name_is_long_can_be_read_from_beside(tmp_path: Path, engine: Client) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    server = ReadServer(folder)
    server.start()
    assert reads_are_offered(folder)
    server.close()


def test_a_folder_without_a_socket_is_told_and_stops_nobody(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        server = ReadServer(tmp_path / "nothing")
        server.start()
    server.close()
    assert [line["event"] for line in logs] == ["no other process can read the embedded database meanwhile"]


def test_what_ingests_gives_way_to_nobody(engine_path: Path, offered: ReadServer) -> None:
    assert not ask_to_give_way(engine_path)
    assert reads_are_offered(engine_path)


def test_all_readers_of_a_process_give_way(engine_path: Path, numbers: str) -> None:
    asked: list[str] = []
    one = ReadServer(engine_path, lambda: (asked.append("one"), one.close())[0])
    other = ReadServer(engine_path, lambda: (asked.append("other"), other.close())[0])
    for server in (one, other):
        server.start()
    assert ask_to_give_way(engine_path)
    assert asked == ["one", "other"]
    assert not reads_are_offered(engine_path)


def test_a_reader_beside_what_ingests_does_not_give_way_either(engine_path: Path, offered: ReadServer) -> None:
    asked: list[str] = []
    reader = ReadServer(engine_path, lambda: asked.append("reader"))
    reader.start()
    assert not ask_to_give_way(engine_path)
    assert asked == []
    reader.close()


def test_of_two_readers_one_asks_the_other(engine_path: Path, readers_of: Callable[[], Readers]) -> None:
    first, second = readers_of(), readers_of()
    assert first.run(total) == 6
    assert reads_are_offered(engine_path)
    assert second.run(total) == 6
    first.close()
    assert second.run(total) == 6, "it opens the database itself when the other one has ended"


def test_a_reader_gives_way_after_what_it_runs(engine_path: Path, readers_of: Callable[[], Readers]) -> None:
    reader = readers_of()
    inside, go_on = threading.Event(), threading.Event()
    results: list[Any] = []

    def slow(client: Client) -> None:
        inside.set()
        go_on.wait(30)
        results.append(total(client))

    reading = threading.Thread(target=reader.run, args=(slow,))
    reading.start()
    assert inside.wait(30)
    given: list[bool] = []
    asking = threading.Thread(target=lambda: given.append(ask_to_give_way(engine_path)))
    asking.start()
    asking.join(0.1)
    assert not given
    go_on.set()
    asking.join(30)
    reading.join(30)
    assert (results, given) == ([6], [True])


def test_a_reader_that_gave_way_reads_through_the_process_that_came(
    engine_path: Path, readers_of: Callable[[], Readers]
) -> None:
    reader, writer = readers_of(), ReadServer(engine_path)
    assert reader.run(total) == 6
    results: list[Any] = []
    reading = threading.Thread(target=lambda: results.append(reader.run(total)))
    with needed(engine_path):
        assert ask_to_give_way(engine_path)
        reading.start()
        reading.join(0.2)
        assert not results, "nobody opens it before the one that needs it"
        writer.start()
    reading.join(30)
    assert results == [6]
    assert not ask_to_give_way(engine_path), "the writer has it"
    writer.close()
    assert reader.run(total) == 6


def test_a_holder_that_ends_before_it_is_asked_is_looked_for_again(
    readers_of: Callable[[], Readers], monkeypatch: pytest.MonkeyPatch
) -> None:
    still_listening = iter([True, True])
    monkeypatch.setattr(readers, "reads_are_offered", lambda path: next(still_listening, False))
    with readers_of().client() as client:
        assert total(client) == 6


@pytest.mark.parametrize("in_words", [False, True], ids=["as the driver raises it", "in words"])
def test_a_read_goes_on_however_often_the_database_changes_hands(
    readers_of: Callable[[], Readers], in_words: bool
) -> None:
    lost = iter([OperationalError("the connection was lost")] * 3)

    def read(client: Client) -> Any:
        for error in lost:
            raise error
        return total(client)

    def told(client: Client) -> Any:
        return AT_ONCE.run("read", lambda: read(client))

    assert readers_of().run(told if in_words else read) == 6


def test_a_holder_that_offers_nothing_is_named(
    engine_path: Path, readers_of: Callable[[], Readers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "holder_of", lambda path: "process 17")
    monkeypatch.setattr(readers, "_WAIT_SECONDS", 0.1)
    with pytest.raises(SinkUnavailable, match="is open in process 17, which offers no reads: ask again"):
        readers_of().run(total)


def test_an_error_of_the_statement_is_told_once(readers_of: Callable[[], Readers]) -> None:
    asked = []

    def wrong(client: Client) -> Any:
        asked.append(1)
        return client.query("SELECT nothing")

    with pytest.raises(ClickHouseError):
        readers_of().run(wrong)
    assert len(asked) == 1


def test_there_has_to_be_a_database(tmp_path: Path) -> None:
    missing = Readers(endpoint(f"chdb://{tmp_path}/none", database="", user=""), "", 30)
    with pytest.raises(SinkMisconfigured, match="no embedded database yet"):
        missing.run(total)
    missing.close()
    assert not (tmp_path / "none").exists()


def test_a_lost_connection_is_not_told_as_an_answer(engine_path: Path, offered: ReadServer) -> None:
    client = read_client(engine_path, 30)
    offered.close()
    with pytest.raises(OperationalError):
        total(client)
    client.close()
