"""The embedded database: its folder, and who has it open. The engine is not started: it would write into the folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.health.check import Finding
from lpa_core.settings.thresholds import State
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.embedded import holder_of


def checks(uri: str, *, several: bool) -> Sequence[StartCheck]:
    subject = uri if several else ""
    return (StartCheck("embedded_database", "Embedded database", lambda start: _judge(uri, start), subject),)


def _judge(uri: str, start: PlannedStart) -> Finding:
    path = endpoint_of(uri, start.settings).path or Path()
    there = next((each for each in (path, *path.absolute().parents) if os.path.lexists(each)), Path("/"))
    if not there.is_dir():
        raise SinkMisconfigured(f"{path}: {there} is not a folder: choose a folder that can be written")
    holder = holder_of(path)
    if holder:
        return Finding(
            State.OK,
            f"{path} is open in {holder}: while that runs, no other process can use it, and it was not looked into",
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise SinkMisconfigured(
            f"{path}: no place for the embedded database (Permission denied): choose a folder that can be written"
        )
    if there != path:
        return Finding(State.OK, f"rows go into the embedded database: a start makes {path} and its tables")
    return Finding(
        State.OK, f"{path} can be written, and no process has it open; a start makes tables that are missing"
    )
