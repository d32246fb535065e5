"""Backups for people and machines: what ``lpa backup`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lpa_core.commands.listing import ListColumn, print_list, print_paragraph
from lpa_core.commands.output import console, print_line
from lpa_core.counted import counted
from lpa_core.settings.settings import Settings
from lpa_ops.backup.backup import Backup, StoredBackup
from lpa_ops.backup.restore import Restored
from lpa_ops.backup.retention import expires_ms, retention_days
from lpa_ops.backup.verify import Verification


def print_backup(backup: Backup, location: str) -> None:
    """Print the tables of a new backup, and where it is as the last line."""
    rows = [(name, f"{content.rows:,}") for name, content in backup.tables.items()]
    rows += [(name, "changing") for name in backup.unsettled]
    print_list(console(), ("table", ListColumn("rows", right=True)), rows)
    if backup.freeze is not None:
        print_line(f"frozen as shadow/{backup.freeze.name} in the folder of ClickHouse")
    if backup.note:
        print_paragraph(console(), backup.note)
    print_line(location)


def print_backups(found: Sequence[StoredBackup], settings: Settings) -> None:
    days = retention_days(settings)
    columns = ("location", "created", "environment", "kind", "database", "group", "MB", "expires")
    rows = []
    for each in found:
        if each.backup is None:
            rows.append((each.location, *[""] * (len(columns) - 1), each.problem))
            continue
        backup, end = each.backup, expires_ms(each.backup, days)
        rows.append(
            (
                each.location,
                time_text(backup.created_ms),
                backup.environment,
                (f"adds to {backup.base}" if backup.base else "full") + (", frozen" if backup.freeze else ""),
                backup.database,
                backup.group,
                f"{each.bytes / 1e6:,.1f}",
                "never" if end is None else time_text(end),
                each.problem,
            )
        )
    print_list(console(), (*columns, ListColumn("problem", prose=True)), rows)


def print_restored(restored: Restored) -> None:
    rows = [(name, f"{rows:,}", f"{restored.cut.get(name, 0):,}") for name, rows in restored.rows.items()]
    print_list(console(), ("table", ListColumn("rows", right=True), ListColumn("read again", right=True)), rows)
    for partition, commit in sorted(restored.offsets.items()):
        print_line(f"{partition} goes on at {commit.offset}")
    if restored.files:
        print_line(counted(restored.files, "file continues where it was", "files continue where they were"))
    if restored.note:
        print_paragraph(console(), f"now: {restored.note}")


def proved_text(result: Verification) -> str:
    assert result.backup is not None
    settled = [content for name, content in result.restored.items() if name in result.backup.tables]
    what = f"{len(settled)} tables with {sum(each.rows for each in settled):,} rows are as they were"
    unsettled = ", ".join(result.backup.unsettled)
    return f"{what}; {unsettled} changed while it was made, and can be read" if unsettled else what


def listed_as_json(each: StoredBackup, settings: Settings) -> dict[str, Any]:
    if each.backup is None:
        return {"location": each.location, "bytes": each.bytes, "problem": each.problem}
    end = expires_ms(each.backup, retention_days(settings))
    expires = None if end is None else time_text(end)
    told = {"location": each.location, "bytes": each.bytes, "expires": expires, "problem": each.problem}
    return {**told, **backup_as_json(each.backup)}


def backup_as_json(backup: Backup) -> dict[str, Any]:
    return {
        "id": backup.id,
        "created": time_text(backup.created_ms),
        "environment": backup.environment,
        "base": backup.base,
        "database": backup.database,
        "group": backup.group,
        "boundaries": [
            {"topic": partition.topic, "partition": partition.number, "offset": offset}
            for partition, offset in sorted(backup.boundaries.items())
        ],
        "tables": {name: content.rows for name, content in backup.tables.items()},
        "unsettled": list(backup.unsettled),
        "freeze": backup.freeze.name if backup.freeze else "",
        "note": backup.note,
        "settings_fingerprint": backup.settings_fingerprint,
        "versions": dict(backup.versions),
    }


def restored_as_json(restored: Restored) -> dict[str, Any]:
    return {
        "backup": restored.backup.id,
        "rows": dict(restored.rows),
        "cut": dict(restored.cut),
        "offsets": [
            {"topic": partition.topic, "partition": partition.number, "offset": commit.offset}
            for partition, commit in sorted(restored.offsets.items())
        ],
        "files": restored.files,
        "claims_rebuilt": restored.claims,
        "note": restored.note,
    }


def time_text(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
