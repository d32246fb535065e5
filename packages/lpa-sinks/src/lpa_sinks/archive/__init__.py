"""The archive: every record as received, in a folder or an object store."""

from __future__ import annotations

from lpa_sinks.archive.archive import FileArchive
from lpa_sinks.archive.lines import ArchivedRecord
from lpa_sinks.archive.reader import read_archive

__all__ = ["ArchivedRecord", "FileArchive", "read_archive"]
