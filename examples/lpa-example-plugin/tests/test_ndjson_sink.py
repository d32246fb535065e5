"""The sink, by the suite for every sink."""

from pathlib import Path

import msgspec
import pytest

from lpa_core.sinks import RowsRefused, SinkMisconfigured
from lpa_core.tables import Table
from lpa_core.testing.sink_suite import TABLE, Place, SinkContract, block
from lpa_example_plugin.ndjson_sink import NdjsonSink


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def sink(self) -> NdjsonSink:
        return NdjsonSink(self.path)

    def rows(self, table: Table) -> list[tuple[object, ...]]:
        lines = b"".join(file.read_bytes() for file in (self.path / table.name).glob("*.ndjson")).splitlines()
        return [tuple(msgspec.json.decode(line).values()) for line in lines]


class TestNdjsonSink(SinkContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Folder(tmp_path)


def test_text_that_is_no_unicode_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    sink = folder.sink()
    sink.open([TABLE])
    good = block("token", 3)
    texts = [column.name for column in TABLE.columns].index("text")
    columns = [["ok", "\ud800", "ok"] if i == texts else column for i, column in enumerate(good.columns)]
    with pytest.raises(RowsRefused) as refusal:
        sink.write(type(good)(TABLE, "events", 0, good.offsets, columns, "token"))
    assert list(refusal.value.rows) == [1]
    assert folder.rows(TABLE) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkMisconfigured, match=r"file cannot be used: Not a directory; name another folder"):
        NdjsonSink(tmp_path / "file").open([TABLE])
