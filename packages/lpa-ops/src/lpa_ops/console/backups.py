"""The backups that pages mark on the time axis."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, final

import attrs
import structlog

from lpa_core.errors import LpaError
from lpa_core.settings.settings import Settings
from lpa_ops.backup.backups_of_database import backups_of
from lpa_ops.backup.store import BackupStore, default_root

_FRESH_SECONDS: Final = 60
"""An object store takes a moment to list them, and pages are loaded often."""

_log = structlog.get_logger("lpa.console")


@final
@attrs.frozen
class KnownBackups:
    """Time, epoch ms, and name of each; ``unknown`` says why they cannot be listed, and is empty if they can."""

    backups: Sequence[tuple[int, str]] = ()
    unknown: str = ""


def known_backups(settings: Settings, sink: str | None) -> Callable[[], KnownBackups]:
    """Returns what lists the database's backups. While one thread does, others get what was known before."""
    turn = threading.Lock()
    latest, listed_at = KnownBackups(unknown="they are being listed"), -math.inf

    def listed() -> KnownBackups:
        try:
            # A page waits for it: it is asked again soon anyway.
            found = backups_of(BackupStore(default_root(settings), attempts=1), sink, settings)
        except LpaError as error:
            _log.warning("backups cannot be listed", reason=str(error))
            return KnownBackups(unknown=str(error))
        return KnownBackups([(each.created_ms, each.id) for each in found])

    def known() -> KnownBackups:
        nonlocal latest, listed_at
        if turn.acquire(blocking=False):
            try:
                if time.monotonic() >= listed_at + _FRESH_SECONDS:
                    latest, listed_at = listed(), time.monotonic()
            finally:
                turn.release()
        return latest

    return known
