"""The sink on the embedded engine, and who may open it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError

from lpa_core.sinks.sink import RowsRefused, SinkMisconfigured, SinkUnavailable
from lpa_core.tables.row_layout import LEADING_COLUMNS
from lpa_core.testing.sink_suite import (
    OTHER_TABLE,
    TABLE,
    GatheringContract,
    KnownGapsContract,
    NewestTimeContract,
    RefusalContract,
    SinkContract,
    StoredOffsetsContract,
    block,
    texts,
)
from lpa_sinks.clickhouse.client import connect, endpoint
from lpa_sinks.clickhouse.insert import insert
from lpa_sinks.clickhouse.retries import RetryPolicy
from lpa_sinks.testing.places import ClickHousePlace


class TestEmbeddedSink(SinkContract, StoredOffsetsContract, NewestTimeContract, GatheringContract, RefusalContract):
    @pytest.fixture
    def place(self, embedded: ClickHousePlace) -> ClickHousePlace:
        return embedded


class TestKnownGapsOfEmbedded(KnownGapsContract):
    @pytest.fixture
    def place(self, embedded: ClickHousePlace) -> ClickHousePlace:
        return embedded


def test_ranges_that_are_written_together_are_one_insert(embedded: ClickHousePlace) -> None:
    with closing(embedded.sink()) as sink:
        sink.open([TABLE])
        embedded.engine.command(f"SYSTEM STOP MERGES {embedded.name(TABLE)}")
        sink.write_together([block(f"t{partition}", 100, partition=partition) for partition in range(12)])
        parts = embedded.query(
            "SELECT rows FROM system.parts WHERE active "
            f"AND database = '{embedded.endpoint.database}' AND table = '{TABLE.name}'"
        )
        assert parts == [(1200,)]


def test_a_merge_reads_a_part_by_the_mebibyte(embedded: ClickHousePlace) -> None:
    """It holds a granule of each part that it reads."""
    with closing(embedded.sink()) as sink:
        sink.open([TABLE])
        written = block("t", 8_000)
        own = len(LEADING_COLUMNS)
        large = [[f"{number:01024}" for number in range(8_000)]]
        sink.write(attrs.evolve(written, columns=[*written.columns[:own], *large, *written.columns[own + 1 :]]))
        ((largest,),) = embedded.query(
            "SELECT data_uncompressed_bytes / (marks - 1) FROM system.parts WHERE active "
            f"AND database = '{embedded.endpoint.database}' AND table = '{TABLE.name}'"
        )
        assert largest <= 1 << 20


@pytest.mark.parametrize("applied", [False, True])
def test_an_insert_of_ranges_together_that_fails_is_tried_again(
    embedded: ClickHousePlace, monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    """As it was, so that the engine can tell that it has it already."""
    fails = True

    def failing(*arguments: Any) -> None:
        nonlocal fails
        if applied or not fails:
            insert(*arguments)
        if fails:
            fails = False
            raise OperationalError("Code: 241. DB::Exception: memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)")

    monkeypatch.setattr("lpa_sinks.sink.sink.insert", failing)
    patient = attrs.evolve(embedded, retry=RetryPolicy(sleep=lambda seconds: None))
    with closing(patient.sink()) as sink:
        sink.open([TABLE])
        sink.write_together([block(f"t{partition}", 10, partition=partition) for partition in range(3)])
    assert not fails
    assert len(embedded.rows(TABLE)) == 30


def test_a_table_that_is_missing_is_made_anew(embedded: ClickHousePlace) -> None:
    for _ in range(2):
        with closing(embedded.sink()) as sink:
            sink.open([TABLE])
            sink.write(block("t", 2))
            assert len(embedded.rows(TABLE)) == 2
        embedded.drop_table(TABLE)


def test_a_drifted_column_is_named(embedded: ClickHousePlace) -> None:
    with closing(embedded.sink()) as sink:
        sink.open([TABLE])
    embedded.change_type(TABLE, "uint32")
    with closing(embedded.sink()) as sink, pytest.raises(SinkMisconfigured) as complaint:
        sink.open([TABLE])
    assert str(complaint.value) == (
        f"{embedded.endpoint.path}: sink_contract in contract: column uint32 is UInt64, expected UInt32: "
        "`lpa backup create`, then run ALTER TABLE contract.sink_contract MODIFY COLUMN uint32 UInt32"
    )


def test_a_repeated_block_reaches_a_materialized_view_once(embedded: ClickHousePlace) -> None:
    database, engine = embedded.endpoint.database, embedded.engine
    with closing(embedded.sink()) as sink:
        sink.open([TABLE])
        engine.command(
            f"CREATE TABLE {database}.derived (text String) ENGINE = MergeTree ORDER BY text "
            "SETTINGS non_replicated_deduplication_window = 10000"
        )
        engine.command(
            f"CREATE MATERIALIZED VIEW {database}.deriving TO {database}.derived "
            f"AS SELECT text FROM {embedded.name(TABLE)}"
        )
        try:
            for _ in range(2):
                sink.write(block("t", 5))
            sink.write(block("u", 5))
            assert embedded.query(f"SELECT count() FROM {database}.derived") == [(10,)]
        finally:
            engine.command(f"DROP TABLE {database}.deriving SYNC")
            engine.command(f"DROP TABLE {database}.derived SYNC")


def test_what_counts_is_the_block_that_is_written_not_the_one_anticipated(embedded: ClickHousePlace) -> None:
    with closing(embedded.sink()) as sink:
        sink.open([TABLE])
        sink.anticipate(block("t", 3))
        sink.write(block("t", 2, start=10))
        anticipated = block("u", 1, start=20)
        sink.anticipate(anticipated)
        sink.write(anticipated)
        sink.write(anticipated)
    assert texts(embedded) == ["10", "11", "20"]


def test_anticipating_a_row_that_does_not_fit_raises_nothing(embedded: ClickHousePlace) -> None:
    unfit = block("t", [(None, "", *[0] * 9, *[None] * 11)])
    with closing(embedded.sink()) as sink:
        sink.open([TABLE])
        sink.anticipate(unfit)
        with pytest.raises(RowsRefused):
            sink.write(unfit)


def test_two_sinks_share_the_engine(embedded: ClickHousePlace) -> None:
    with closing(embedded.sink()) as one, closing(embedded.sink()) as another:
        for sink in (one, another):
            sink.open([TABLE])
        one.write(block("t", 1))
        another.write(block("t", 1))
        another.write(block("u", 1))
        assert len(embedded.rows(TABLE)) == 2


def test_a_refused_row_is_neither_printed_nor_logged(
    embedded: ClickHousePlace, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    unfit = (None, "", *[0] * 9, *[None] * 11)
    with closing(embedded.sink()) as sink:
        sink.open([TABLE])
        with pytest.raises(RowsRefused):
            sink.write(block("t", [unfit]))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.fixture
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go during the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_no_temporary_file_is_left(embedded: ClickHousePlace, temporary_files: Path) -> None:
    with closing(embedded.sink()) as sink:
        sink.open([TABLE, OTHER_TABLE])
        sink.write(block("t", 1000))
        embedded.refuse(TABLE, "5")
        with pytest.raises(RowsRefused):
            sink.write(block("u", 10))
    assert list(temporary_files.iterdir()) == []


def test_a_full_disk_is_waited_for(embedded: ClickHousePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    full = tempfile.NamedTemporaryFile

    def no_space(*arguments: object, **options: object) -> object:
        raise OSError(28, "No space left on device")

    with closing(embedded.sink()) as sink:
        sink.open([TABLE])
        monkeypatch.setattr(tempfile, "NamedTemporaryFile", no_space)
        with pytest.raises(SinkUnavailable, match="No space left on device"):
            sink.write(block("t", 1))
        monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
        sink.write(block("t", 1))
    assert len(embedded.rows(TABLE)) == 1


OPEN = """
import sys
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_sinks.clickhouse.client import connect, endpoint
try:
    client = connect(endpoint(sys.argv[1], database="", user=""))
except SinkMisconfigured as error:
    print(error)
else:
    print("opened", flush=True)
    sys.stdin.read()
"""


def in_another_process(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPEN, f"chdb://{path}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_folder_that_another_process_uses_is_named_with_its_holder(engine: Client, engine_path: Path) -> None:
    output, errors = in_another_process(engine_path).communicate(timeout=60)
    assert (output, errors) == (
        f"{engine_path}: the embedded database is open in process {os.getpid()}: wait for it or stop it, "
        "or use a ClickHouse server, which many processes can share\n",
        "",
    )


def test_a_folder_is_free_again_after_its_process_was_killed(tmp_path: Path) -> None:
    first = in_another_process(tmp_path / "db")
    assert first.stdout is not None
    assert first.stdout.readline() == "opened\n"
    first.kill()
    first.communicate(timeout=60)
    output, _ = in_another_process(tmp_path / "db").communicate(timeout=60)
    assert output == "opened\n"


def test_a_second_folder_in_one_process_is_refused(engine: Client, engine_path: Path, tmp_path: Path) -> None:
    with pytest.raises(SinkMisconfigured) as refusal:
        connect(endpoint(f"chdb://{tmp_path}/other", database="", user=""))
    assert str(engine_path) in str(refusal.value)
    assert f"{tmp_path}/other" in str(refusal.value)


def unusable(folder: Path) -> Iterator[tuple[Path, str]]:
    file = folder / "file"
    file.touch()
    yield file, "File exists"
    yield file / "below", "Not a directory"
    yield Path("/proc/nothing"), "No such file or directory"


def test_a_place_that_cannot_be_a_folder_is_named(tmp_path: Path) -> None:
    for path, reason in unusable(tmp_path):
        with pytest.raises(SinkMisconfigured) as refusal:
            connect(endpoint(f"chdb://{path}", database="", user=""))
        assert str(refusal.value) == (
            f"{path}: no place for the embedded database ({reason}): choose a folder that can be written"
        )


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Stands in for missing permissions, which do not hold for root.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SinkMisconfigured, match="no place for the embedded database \\(Permission denied\\)"):
        connect(endpoint(f"chdb://{tmp_path}", database="", user=""))
