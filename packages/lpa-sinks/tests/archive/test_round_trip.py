"""Whatever a source hands over comes back byte for byte."""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.records import Oversized, RecordBatch
from lpa_sinks.archive import ArchivedRecord, FileArchive, read_archive

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


NOW = 1_767_900_000_000
BATCHES = st.integers(1, 8).flatmap(
    lambda count: st.builds(
        RecordBatch,
        topic=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300),
        partition=st.integers(0, 2**31 - 1),
        offsets=st.integers(0, 2**62).map(lambda first: range(first, first + count)),
        values=column(st.none() | st.binary() | st.text().map(str.encode), count),
        timestamps=st.none() | column(st.integers(-1, 2**60), count),
        keys=st.none() | column(st.none() | st.binary(), count),
        headers=st.none() | column(st.none() | st.lists(st.tuples(st.text(), st.binary()), max_size=3), count),
        oversized=st.dictionaries(
            st.integers(0, count - 1), st.builds(Oversized, st.integers(0, 2**50), st.just("0" * 64)), max_size=2
        ),
    )
)


def column(cells: st.SearchStrategy[Any], count: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(cells, min_size=count, max_size=count)


def kept(folder: Path, batch: RecordBatch) -> list[ArchivedRecord]:
    archive = FileArchive(str(folder / "archive"), folder / "spool")
    archive.recover()
    archive.write(batch, NOW)
    archive.close()
    return sorted(read_archive(str(folder / "archive")), key=lambda record: record.offset)


def lines(folder: Path) -> list[dict[str, Any]]:
    (file,) = (folder / "archive").rglob("*.ndjson.zst")
    return [json.loads(line) for line in zstd.decompress(file.read_bytes()).splitlines()]


@given(BATCHES)
@settings(max_examples=80, deadline=None)
def test_every_part_of_a_record_comes_back(batch: RecordBatch) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = kept(Path(folder), batch)
    assert [(record.topic, record.partition, record.offset) for record in found] == [
        (batch.topic, batch.partition, offset) for offset in batch.offsets
    ]
    assert [record.value for record in found] == batch.values
    assert [record.timestamp for record in found] == (batch.timestamps or [NOW] * len(batch))
    assert [record.key for record in found] == (batch.keys or [None] * len(batch))
    assert [None if record.headers is None else [tuple(header) for header in record.headers] for record in found] == (
        batch.headers or [None] * len(batch)
    )
    assert {i: record.oversized for i, record in enumerate(found) if record.oversized} == batch.oversized


HOSTILE = [
    b"",
    b"{}\r",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe",
    b'{"a":"\\ud800"}',
    b"\x00",
    "\u2028\u0085".encode(),
    b'"\\\n\t',
    b"\xed\xa0\x80",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_bytes_come_back(value: bytes, tmp_path: Path) -> None:
    (found,) = kept(tmp_path, RecordBatch("t", 0, (5,), (value,)))
    assert found.value == value
    assert len(lines(tmp_path)) == 1


def test_a_line_says_what_was_received_where_and_when(tmp_path: Path) -> None:
    kept(
        tmp_path,
        RecordBatch(
            "events",
            3,
            range(7, 10),
            ['{"a": "é"}'.encode(), b"\xff\x00", None],
            timestamps=[NOW, NOW + 1, NOW + 2],
            keys=[b"key", None, b""],
            headers=[[("trace", b"\xff")], None, []],
        ),
    )
    assert lines(tmp_path) == [
        {
            "topic": "events",
            "partition": 3,
            "offset": 7,
            "timestamp": NOW,
            "key": base64.b64encode(b"key").decode(),
            "headers": [["trace", base64.b64encode(b"\xff").decode()]],
            "value": '{"a": "é"}',
        },
        {
            "topic": "events",
            "partition": 3,
            "offset": 8,
            "timestamp": NOW + 1,
            "key": None,
            "headers": None,
            "value_base64": base64.b64encode(b"\xff\x00").decode(),
        },
        {
            "topic": "events",
            "partition": 3,
            "offset": 9,
            "timestamp": NOW + 2,
            "key": "",
            "headers": [],
            "value": None,
        },
    ]


def test_of_an_oversized_record_the_beginning_and_its_facts_are_kept(tmp_path: Path) -> None:
    facts = Oversized(50_000_000, "ab" * 32)
    found = kept(tmp_path, RecordBatch("t", 0, range(2), [b"fits", b"begin"], oversized={1: facts}))
    assert [(record.value, record.oversized) for record in found] == [(b"fits", None), (b"begin", facts)]
    assert lines(tmp_path)[1]["oversized"] == {"size": 50_000_000, "sha256": "ab" * 32}


def test_a_topic_named_after_a_file_whose_name_is_no_text_is_kept(tmp_path: Path) -> None:
    (found,) = kept(tmp_path, RecordBatch("caf\udce9.ndjson", 0, (0,), (b"a",)))
    assert (found.topic, found.value) == ("caf\\udce9.ndjson", b"a")
    assert len(list(read_archive(str(tmp_path / "archive"), topics=["caf\udce9.ndjson"]))) == 1


def test_printing_a_record_does_not_show_its_payload(tmp_path: Path) -> None:
    (found,) = kept(tmp_path, RecordBatch("t", 0, (5,), (b"secret",)))
    assert repr(found) == "ArchivedRecord(t[0]@5)"
