"""Where files lie, when they close, and that nothing half-written ever shows."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.records import RecordBatch
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive import FileArchive, read_archive
from lpa_sinks.archive.layout import topic_name

HOUR = 3_600_000
NOW = 491_083 * HOUR + 20 * 60_000
"""2026-01-08 19:20:00 UTC."""


def opened(folder: Path, **arguments: Any) -> FileArchive:
    archive = FileArchive(str(folder / "archive"), folder / "spool", **arguments)
    archive.recover()
    return archive


def batch(first: int, count: int = 2, topic: str = "events", partition: int = 0, **columns: Any) -> RecordBatch:
    values = [b"%d" % offset for offset in range(first, first + count)]
    return RecordBatch(topic, partition, range(first, first + count), values, **columns)


def files(folder: Path) -> list[str]:
    root = folder / "archive"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def offsets(folder: Path, **arguments: Any) -> list[int]:
    return [record.offset for record in read_archive(str(folder / "archive"), **arguments)]


def test_files_lie_by_topic_date_and_hour_of_the_records(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.write(batch(0, 3, timestamps=[NOW, NOW + HOUR, NOW + 1]), NOW + 5)
    archive.write(batch(4, 2, timestamps=[NOW + 5 * HOUR, -1], partition=7), NOW + 6)
    archive.write(batch(0, topic="a.ndjson"), NOW + 7)
    archive.close()
    assert files(tmp_path) == [
        f"a.ndjson/date=2026-01-08/hour=19/a.ndjson-0-{0:020d}-{1:020d}-{NOW + 7}.ndjson.zst",
        f"events/date=2026-01-08/hour=19/events-0-{0:020d}-{2:020d}-{NOW + 5}.ndjson.zst",
        f"events/date=2026-01-08/hour=19/events-7-{5:020d}-{5:020d}-{NOW + 6}.ndjson.zst",
        f"events/date=2026-01-08/hour=20/events-0-{1:020d}-{1:020d}-{NOW + 5}.ndjson.zst",
        f"events/date=2026-01-09/hour=00/events-7-{4:020d}-{4:020d}-{NOW + 6}.ndjson.zst",
    ]


@pytest.mark.parametrize(
    "topic", ["..", ".", ".hidden", "a/b", "../up", "a b*?", "x" * 300, "é" * 120, "a-1-2-3-4", "50%", "c:\\d"]
)
def test_a_topic_of_any_name_stays_inside_the_archive(topic: str, tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.write(batch(0, topic=topic), NOW)
    archive.close()
    (path,) = files(tmp_path)
    assert path.count("/") == 3
    assert [(record.topic, record.offset) for record in read_archive(str(tmp_path / "archive"), [topic])] == [
        (topic, 0),
        (topic, 1),
    ]
    assert not [entry for entry in tmp_path.iterdir() if entry.name not in ("archive", "spool")]


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_topics_do_not_share_a_folder(one: str, other: str) -> None:
    assert (topic_name(one) == topic_name(other)) == (one == other)


def test_a_file_closes_at_its_size(tmp_path: Path) -> None:
    archive = opened(tmp_path, max_bytes=20_000, max_age_ms=HOUR)
    rng = random.Random(1)
    for index in range(4):
        archive.flush_due(NOW)
        archive.write(RecordBatch("events", 0, (index,), (rng.randbytes(9000),)), NOW)
        assert offsets(tmp_path) == ([] if index < 3 else [0, 1, 2])
    archive.close()
    assert offsets(tmp_path) == [0, 1, 2, 3]
    assert len(files(tmp_path)) == 2


def test_a_file_closes_at_its_age(tmp_path: Path) -> None:
    archive = opened(tmp_path, max_age_ms=60_000)
    archive.write(batch(0), NOW)
    archive.write(batch(2), NOW + 30_000)
    archive.write(batch(0, partition=1), NOW + 30_000)
    archive.flush_due(NOW + 59_999)
    assert files(tmp_path) == []
    archive.flush_due(NOW + 60_000)
    assert offsets(tmp_path) == [0, 1, 2, 3]
    archive.flush_due(NOW + 90_000)
    assert offsets(tmp_path) == [0, 1, 2, 3, 0, 1]
    archive.close()
    assert len(files(tmp_path)) == 2


def test_closing_publishes_everything_and_may_be_done_twice(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.write(batch(0), NOW)
    assert files(tmp_path) == []
    archive.close()
    archive.close()
    assert offsets(tmp_path) == [0, 1]
    assert list((tmp_path / "spool").glob("*.segment")) == []


def test_an_empty_range_leaves_nothing(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.write(RecordBatch("events", 0, (), ()), NOW)
    archive.close()
    assert files(tmp_path) == []


def test_a_range_that_was_published_unfinished_is_not_stored_again_when_it_is_repeated(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.write(batch(0), NOW)
    archive.write(batch(2, 2, timestamps=[NOW, NOW + HOUR]), NOW + 1)
    archive.close()
    for _ in range(2):
        archive = opened(tmp_path)
        archive.write(batch(2, 2, timestamps=[NOW, NOW + HOUR]), NOW + 1)
        archive.close()
    archive = opened(tmp_path)
    archive.write(batch(4), NOW + 2)
    archive.close()
    assert offsets(tmp_path) == [0, 1, 2, 4, 5, 3]


def test_a_range_still_in_the_spool_replaces_itself_when_it_is_repeated(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.write(batch(0), NOW)
    archive.write(batch(0), NOW)
    archive.close()
    assert offsets(tmp_path) == [0, 1]


def test_another_file_of_the_same_name_replaces_nothing(tmp_path: Path) -> None:
    for moment in (NOW, NOW + 1):
        archive = opened(tmp_path)
        archive.write(batch(0), moment)
        archive.close()
    assert offsets(tmp_path) == [0, 1, 0, 1]


def test_a_file_shows_only_when_it_is_whole(tmp_path: Path) -> None:
    rng = random.Random(1)
    archive = opened(tmp_path)
    for first in range(0, 200, 20):
        values = [rng.randbytes(60_000) for _ in range(20)]
        archive.write(RecordBatch("events", 0, range(first, first + 20), values), NOW)
    closing = threading.Thread(target=archive.close)
    closing.start()
    seen = set()
    while closing.is_alive():
        seen |= {path.stat().st_size for path in (tmp_path / "archive").rglob("*.ndjson.zst")}
    closing.join()
    (file,) = (tmp_path / "archive").rglob("*.ndjson.zst")
    assert seen <= {file.stat().st_size}
    assert offsets(tmp_path) == list(range(200))


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder_can_be_given_as_a_path_or_as_a_url(form: str, tmp_path: Path) -> None:
    root = tmp_path / "arch ive"
    archive = FileArchive(form.format(root), tmp_path / "spool")
    archive.recover()
    archive.write(batch(0), NOW)
    archive.close()
    assert [record.offset for record in read_archive(form.format(root))] == [0, 1]
    assert len(list(root.rglob("*.ndjson.zst"))) == 1


def test_a_folder_that_cannot_be_written_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    archive = FileArchive(str(tmp_path / "file" / "archive"), tmp_path / "spool")
    with pytest.raises(ArchiveError, match="Not a directory: make it a writable folder") as caught:
        archive.recover()
    archive.close()
    assert str(tmp_path / "file") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_spool_that_cannot_be_written_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    archive = FileArchive(str(tmp_path / "archive"), tmp_path / "file" / "spool")
    with pytest.raises(ArchiveError, match=r"spool .*/file/spool cannot be used: Not a directory"):
        archive.recover()
    archive.close()


@pytest.mark.parametrize("name", ["notes.segment", "a-0-1-2-3-x.published", "b.closing"])
def test_a_spool_with_foreign_files_is_refused_before_anything_is_lost(name: str, tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / "spool" / name).write_bytes(b"junk")
    archive = FileArchive(str(tmp_path / "archive"), tmp_path / "spool")
    with pytest.raises(ArchiveError, match="spool holds a file that no archive wrote: move it away"):
        archive.recover()
    archive.close()
    assert (tmp_path / "spool" / name).read_bytes() == b"junk"


def test_two_processes_do_not_share_a_spool(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.write(batch(0), NOW)
    second = FileArchive(str(tmp_path / "archive"), tmp_path / "spool")
    with pytest.raises(ArchiveError, match="spool is used by another process"):
        second.recover()
    second.close()
    first.close()
    assert offsets(tmp_path) == [0, 1]
    opened(tmp_path).close()
