"""The sink, by the suite for every sink."""

from pathlib import Path

import msgspec
import pytest

from lpa_core.plugin import RowsRefused, SinkMisconfigured, Table, sink_suite
from lpa_example_plugin.ndjson_sink import NdjsonSink


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def sink(self) -> NdjsonSink:
        return NdjsonSink(self.path)

    def rows(self, table: Table) -> list[tuple[object, ...]]:
        lines = b"".join(file.read_bytes() for file in (self.path / table.name).glob("*.ndjson")).splitlines()
        return [tuple(msgspec.json.decode(line).values()) for line in lines]


class TestNdjsonSink(sink_suite.SinkContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> sink_suite.Place:
        return Folder(tmp_path)


def test_text_that_is_no_unicode_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    sink = folder.sink()
    sink.open([sink_suite.TABLE])
    good = sink_suite.block("token", 3)
    texts = [column.name for column in sink_suite.TABLE.columns].index("text")
    columns = [["ok", "\ud800", "ok"] if i == texts else column for i, column in enumerate(good.columns)]
    with pytest.raises(RowsRefused) as refusal:
        sink.write(type(good)(sink_suite.TABLE, "events", 0, good.offsets, columns, "token"))
    assert list(refusal.value.rows) == [1]
    assert folder.rows(sink_suite.TABLE) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkMisconfigured, match=r"file cannot be used: Not a directory; name another folder"):
        NdjsonSink(tmp_path / "file").open([sink_suite.TABLE])
