"""What backups say of themselves, for tests that need no database behind one."""

from __future__ import annotations

from typing import Final

from lpa_ops.backup.backup import Backup
from lpa_ops.positions.stored_tables import Content

FULL: Final = Backup(
    id="full",
    created_ms=1_767_900_000_000,
    environment="dev",
    base="",
    database="livepeer_analytics",
    sink="chdb:/livepeer_analytics",
    group="",
    commits={},
    derived={},
    boundaries={},
    dedup={},
    tables={"streaming_events": Content(1, 2, 3)},
    unsettled=[],
    note="",
    settings_fingerprint="",
    versions={},
)
"""A full one of a database that was filled from files; what differs is for ``attrs.evolve``."""
