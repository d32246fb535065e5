"""Whatever a broker lets through comes back from the archive, in the window in which it was received."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.records import RecordBatch
from lpa_sinks.archive import ArchivedRecord, FileArchive, read_archive
from lpa_sinks.archive.lines import decode, encode

NOW = 1_767_900_000_000
TIMES = st.sampled_from([-(2**63), -1, 0, 2**63 - 1, NOW, NOW * 1000, NOW * 1_000_000]) | st.integers(
    -(2**63), 2**63 - 1
)
NAMES = st.binary(max_size=8).map(lambda name: name.decode(errors="surrogateescape")) | st.text(max_size=8)
HEADERS = st.none() | st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=8)), max_size=3)


def batch(time: int, headers: object = None, value: bytes | None = b"v", key: bytes | None = None) -> RecordBatch:
    return RecordBatch("topic", 0, [7], [value], [time], [key], [headers])  # type: ignore[list-item]  # what was drawn


def written(folder: Path, given: RecordBatch) -> str:
    archive = FileArchive(str(folder / "archive"), folder / "spool")
    archive.recover()
    archive.write(given, NOW)
    archive.close()
    return str(folder / "archive")


@given(TIMES, HEADERS, st.none() | st.binary(), st.none() | st.binary())
def test_failure_26_a_line_gives_back_every_byte(
    time: int, headers: object, value: bytes | None, key: bytes | None
) -> None:
    (line,) = encode(batch(time, headers, value, key), [0], NOW).splitlines()
    assert decode(line) == ArchivedRecord("topic", 0, 7, time, key, headers, value)  # type: ignore[arg-type]  # drawn


@settings(max_examples=30)
@given(TIMES)
def test_failure_26_a_record_of_any_time_is_archived_and_found_in_its_window(time: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        location = written(Path(folder), batch(time))
        received = time if 0 <= time < 253_402_300_800_000 else NOW
        (found,) = read_archive(location, start=received, end=received + 1)
        assert found.timestamp == time
        assert list(read_archive(location, start=received + 1)) == []


@pytest.mark.parametrize(
    "headers",
    [
        [("caf\udce9", b"x")],
        [("ok", None)],
        [("\udcff\udc00"[:1], None), ("ok", b"\xff")],
    ],
)
def test_failure_26_names_that_are_not_utf_8_and_values_that_are_null_come_back(
    tmp_path: Path, headers: list[tuple[str, bytes | None]]
) -> None:
    (found,) = read_archive(written(tmp_path, batch(NOW, headers)))
    assert found.headers is not None
    assert [tuple(each) for each in found.headers] == headers
