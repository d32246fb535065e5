"""The archive of files, by the suite for every archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lpa_core.plugin import archive_suite
from lpa_sinks.archive import FileArchive, read_archive


class Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def archive(self) -> FileArchive:
        return FileArchive(str(self._path / "archive"), self._path / "spool", max_bytes=1 << 30, max_age_ms=60_000)

    def records(self) -> Sequence[bytes]:
        return [record.value or b"" for record in read_archive(str(self._path / "archive"))]


class TestFileArchive(archive_suite.ArchiveContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> archive_suite.ArchivePlace:
        return Folder(tmp_path)
