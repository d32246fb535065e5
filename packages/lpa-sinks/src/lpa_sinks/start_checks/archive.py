"""The archive: whether its folder or object store takes files. None is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tenacity import wait_none

from lpa_core.doctor.start_check import StartCheck
from lpa_core.health.check import Finding
from lpa_core.settings.thresholds import State
from lpa_core.sinks.archive import ArchiveError
from lpa_core.uris import local_path, masked, scheme
from lpa_sinks.archive.storage import open_storage


def checks(location: str | None) -> Sequence[StartCheck]:
    if location is None:
        return ()
    return (StartCheck("archive", "Archive", lambda start: _judge(location)),)


def _judge(location: str) -> Finding:
    if scheme(location) == "file":
        folder = local_path(location)
        there = next((each for each in (folder, *folder.absolute().parents) if os.path.lexists(each)), Path("/"))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise ArchiveError(f"archive {folder}: {there} cannot be written into: name a folder that can")
        return Finding(State.OK, f"{folder} can be written" if there == folder else f"a start makes {folder}")
    open_storage(location, wait=wait_none(), attempts=1).check()
    return Finding(State.OK, f"{masked(location)} answers")
