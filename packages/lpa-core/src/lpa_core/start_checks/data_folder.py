"""The data folder: whose it is, whether it can be written, and how much room there is. Nothing is made."""

from __future__ import annotations

import os
import pwd
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.health.check import Finding
from lpa_core.settings.thresholds import State

_FEWEST_INODES: Final = 1_000


def _writable(start: PlannedStart) -> Finding:
    data = start.settings.lpa.data
    root = data.root
    there = nearest_existing(root)
    if not there.is_dir():
        return Finding(State.CRITICAL, f"{there} is not a folder", action="remove it, or set LPA_DATA_DIR to another")
    if not os.access(there, os.W_OK | os.X_OK):
        return _forbidden(there)
    if there != root:
        return Finding(State.OK, f"{root} is not there yet: a start makes it in {there}")
    inside = (data.database, data.claims, data.checkpoints, data.archive_spool)
    for folder in inside:
        if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK | os.R_OK)):
            return _forbidden(folder)
    others = sorted({_owner(folder) for folder in (root, *inside) if folder.exists()} - {_user(os.geteuid())})
    if others:
        return Finding(
            State.WARNING,
            f"{root} or what is in it belongs to {', '.join(others)}, and this process is {_user(os.geteuid())}",
            action=f"run lpa as {others[0]}: what this user makes there, that one may be unable to write",
        )
    return Finding(State.OK, f"{root} belongs to {_owner(root)}, and can be written")


def _forbidden(folder: Path) -> Finding:
    return Finding(
        State.CRITICAL,
        f"{folder} belongs to {_owner(folder)}, and {_user(os.geteuid())} cannot write into it",
        action=f"run lpa as {_owner(folder)}, give {_user(os.geteuid())} the right to write, or set LPA_DATA_DIR to "
        "another folder",
    )


def _disk(start: PlannedStart) -> Finding:
    there = nearest_existing(start.settings.lpa.data_dir)
    usage = shutil.disk_usage(there)
    share, thresholds = usage.free / usage.total, start.settings.health.disk_free_share
    free = f"{usage.free / 1e9:,.1f} GB of the disk of {there} are free ({share:.0%})"
    action = "make room on it, or set LPA_DATA_DIR to a folder on a larger disk"
    inodes = os.statvfs(there)
    if inodes.f_files and inodes.f_favail < _FEWEST_INODES:
        return Finding(State.CRITICAL, f"the disk of {there} has room for {inodes.f_favail} more files", action=action)
    return Finding.of(share, thresholds, free, action)


def nearest_existing(path: Path) -> Path:
    """The path, or the nearest one above it that is there."""
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), Path("/"))


def _owner(path: Path) -> str:
    with suppress(OSError):
        return _user(path.stat().st_uid)
    return "nobody that can be told"


def _user(number: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return f"user {number}"


CHECKS: Final = (
    StartCheck("data_folder", "Data folder", _writable),
    StartCheck("disk", "Room on the disk", _disk),
)
