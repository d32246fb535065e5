"""Records are taken out of an archive: their positions stay, and everything else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.records import Oversized, RecordBatch
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive import erasing
from lpa_sinks.archive.archive import FileArchive
from lpa_sinks.archive.lines import ArchivedRecord
from lpa_sinks.archive.reader import archive_files, read_archive

NOON = 1_767_873_600_000


@pytest.fixture
def place(tmp_path: Path) -> str:
    location = str(tmp_path / "archive")
    archive = FileArchive(location, tmp_path / "spool")
    archive.recover()
    archive.write(
        RecordBatch(
            "events",
            0,
            range(5),
            [b"one", None, b"\xff", b"theirs", b"beginning"],
            [NOON, NOON + 1, NOON + 2, NOON + 3, NOON + 4],
            [b"k", None, None, b"their key", None],
            [[("h", b"v")], None, [("\udcff", None)], [("who", b"they")], None],
            {4: Oversized(9_999, "00")},
        ),
        NOON,
    )
    archive.close()
    return location


def records(place: str) -> list[ArchivedRecord]:
    return [*read_archive(place)]


def theirs(record: ArchivedRecord) -> bool:
    return record.value == b"theirs"


def test_what_is_wanted_loses_its_content_and_the_rest_stays_as_it_is(place: str) -> None:
    before = records(place)
    (match,) = erasing.matches(place, theirs)
    assert erasing.erase(place, match.path, lambda position: position.offset == match.record.offset) == 1
    after = records(place)
    assert [*archive_files(place)] == [match.path]
    assert [old for old in before if old.offset != 3] == [new for new in after if new.offset != 3]
    (gone,) = (record for record in after if record.offset == 3)
    assert (gone.value, gone.key, gone.timestamp) == (None, None, NOON + 3)
    assert erasing.is_erased(gone)
    assert b"their" not in b"".join(path.read_bytes() for path in Path(place).rglob("*") if path.is_file())


def test_done_again_it_finds_nothing_and_writes_nothing(place: str) -> None:
    (match,) = erasing.matches(place, theirs)
    assert erasing.erase(place, match.path, lambda position: position.offset == 3) == 1
    file = Path(place) / match.path
    written = file.stat().st_mtime_ns
    assert erasing.erase(place, match.path, lambda position: position.offset == 3) == 0
    assert file.stat().st_mtime_ns == written
    assert [*erasing.matches(place, lambda record: record.offset == 3)] == []


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match="there is no archive: name the place"):
        next(erasing.matches(str(tmp_path / "empty"), theirs))
