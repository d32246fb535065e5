"""The backups that pages mark on the time axis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from lpa_core.errors import LpaError
from lpa_core.settings.settings import Settings
from lpa_ops.backup.backups_of_database import backups_of
from lpa_ops.backup.store import BackupStore, default_root

_FRESH_SECONDS: Final = 60
"""An object store takes a moment to list them, and pages are loaded often."""

_log = structlog.get_logger("lpa.console")


def known_backups(settings: Settings, sink: str | None) -> Callable[[], Sequence[tuple[int, str]]]:
    """Returns what lists the database's backups: time, epoch ms, and name. Without a list it has none, and logs why."""
    turn = threading.Lock()
    latest: tuple[float, Sequence[tuple[int, str]]] = (0.0, ())

    def listed() -> Sequence[tuple[int, str]]:
        try:
            found = backups_of(BackupStore(default_root(settings)), sink, settings)
        except LpaError as error:
            _log.warning("backups cannot be listed", reason=str(error))
            return ()
        return [(each.created_ms, each.id) for each in found]

    def known() -> Sequence[tuple[int, str]]:
        nonlocal latest
        with turn:
            if time.monotonic() >= latest[0]:
                latest = (time.monotonic() + _FRESH_SECONDS, listed())
            return latest[1]

    return known
