"""Reading an archive back: in order, only what is asked for, and never past damage in silence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from lpa_core.records import RecordBatch
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive import FileArchive, read_archive

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


HOUR = 3_600_000
NOW = 491_083 * HOUR


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """Two topics, two partitions; a record every half hour for two days, several ranges to a file."""
    written = FileArchive(str(tmp_path / "archive"), tmp_path / "spool")
    written.recover()
    for topic in ("a", "b"):
        for partition in (0, 1):
            for first in range(0, 96, 12):
                offsets = range(first, first + 12)
                times = [NOW + offset * HOUR // 2 for offset in offsets]
                values = [f"{topic} {partition} {offset}".encode() for offset in offsets]
                written.write(RecordBatch(topic, partition, offsets, values, timestamps=times), NOW + first)
    written.close()
    return str(tmp_path / "archive")


def values(location: str, **arguments: Any) -> list[str]:
    return [(record.value or b"").decode() for record in read_archive(location, **arguments)]


def only_file(location: str) -> Path:
    (file,) = Path(location).rglob("*.ndjson.zst")
    return file


@pytest.fixture
def small(tmp_path: Path) -> str:
    """One file of two ranges."""
    written = FileArchive(str(tmp_path / "small"), tmp_path / "spool")
    written.recover()
    for first in (0, 2):
        written.write(RecordBatch("t", 0, range(first, first + 2), (b"a" * 100, b"b" * 100)), NOW)
    written.close()
    return str(tmp_path / "small")


def test_records_come_by_topic_hour_partition_and_offset(archive: str) -> None:
    assert values(archive) == [
        f"{topic} {partition} {offset}"
        for topic in ("a", "b")
        for hour in range(48)
        for partition in (0, 1)
        for offset in (2 * hour, 2 * hour + 1)
    ]


def test_topics_and_times_limit_what_is_read(archive: str) -> None:
    assert values(archive, topics=["b"], start=NOW + HOUR // 2, end=NOW + HOUR + 1) == [
        "b 0 1",
        "b 1 1",
        "b 0 2",
        "b 1 2",
    ]
    assert values(archive, topics=["c"]) == []
    assert len(values(archive, start=NOW + 24 * HOUR)) == 4 * 48
    assert len(values(archive, end=NOW + 24 * HOUR)) == 4 * 48


def test_files_of_other_hours_and_topics_are_not_opened(archive: str) -> None:
    for file in Path(archive).rglob("*.ndjson.zst"):
        if "hour=19" not in str(file) or "/b/" not in str(file):
            file.write_bytes(b"no zstd at all")
    assert len(values(archive, topics=["b"], start=NOW, end=NOW + HOUR)) == 4


def test_reading_is_lazy(archive: str) -> None:
    records = read_archive(archive)
    assert next(records).value == b"a 0 0"
    for file in Path(archive).rglob("*.ndjson.zst"):
        file.unlink()
    assert next(records).value == b"a 0 1"


def test_what_is_no_archive_file_is_passed_over(small: str) -> None:
    file = only_file(small)
    for name in ("notes.txt", f"{file.name}.tmp", "t-0-x-y-z.ndjson.zst"):
        file.with_name(name).write_bytes(b"junk")
    (Path(small) / "t" / "other").mkdir()
    (Path(small) / "t" / "date=2026-01-08" / "hour=99").mkdir()
    assert len(values(small)) == 4


def cut(content: bytes) -> bytes:
    return content[:-5]


def flipped(content: bytes) -> bytes:
    return content[:40] + bytes((content[40] ^ 255,)) + content[41:]


def without_last_range(content: bytes) -> bytes:
    return content[: content.index(b"\x28\xb5\x2f\xfd", 4)]


def recompressed(text: bytes) -> bytes:
    return zstd.compress(text)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut, "cut off"),
        (flipped, "after line"),
        (without_last_range, "it holds offsets 0 to 1, not those of its name"),
        (lambda content: b"", "it holds offsets None to None"),
        (lambda content: b"plain text", "after line 0"),
        (lambda content: zstd.compress(zstd.decompress(content)[:-1]), "after line 3: the last line is cut off"),
        (lambda content: zstd.compress(b"{}\n"), "after line 0"),
        (lambda content: zstd.compress(zstd.decompress(content).replace(b'"value"', b'"v"', 1)), "after line 0"),
    ],
)
def test_a_damaged_file_is_named(damage: Any, why: str, small: str) -> None:
    file = only_file(small)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ArchiveError, match=why) as caught:
        list(read_archive(small))
    assert f"{file.name} is damaged" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_archive_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=f"{tmp_path}/none: No such file or directory: name the folder"):
        list(read_archive(str(tmp_path / "none")))
