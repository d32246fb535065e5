"""The manifest of a backup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

import attrs
import msgspec

from lpa_core.delivery.consumer_group import Partition
from lpa_ops.backup.backup import Backup, Freeze
from lpa_ops.bundle import manifest
from lpa_ops.bundle.manifest import SavedFile
from lpa_ops.positions.stored_tables import Content
from lpa_ops.savepoint.manifest import PartitionEntry, commits, dedup, entries

FORMAT: Final = 1


@final
@attrs.frozen(slots=True)
class BackupManifest:
    """``files`` are paths below the backup."""

    backup: Backup
    files: Mapping[str, SavedFile]


@final
class _Boundary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topic: str
    partition: int
    offset: int


@final
class _Content(manifest.Sealed, frozen=True, kw_only=True):
    id: str
    created_ms: int
    environment: str
    base: str
    database: str
    sink: str
    group: str
    partitions: list[PartitionEntry]
    derived: list[PartitionEntry]
    boundaries: list[_Boundary]
    tables: dict[str, Content]
    note: str
    settings_fingerprint: str
    versions: dict[str, str]
    unsettled: list[str] | msgspec.UnsetType = msgspec.UNSET
    """Manifests that were written before it was known do not have it."""
    freeze: Freeze | msgspec.UnsetType = msgspec.UNSET
    """Only a backup with a freeze has it: versions that do not know freezes can read all others."""


def encode(content: BackupManifest) -> bytes:
    backup = content.backup
    return manifest.encode(
        _Content(
            format=FORMAT,
            id=backup.id,
            created_ms=backup.created_ms,
            environment=backup.environment,
            base=backup.base,
            database=backup.database,
            sink=backup.sink,
            group=backup.group,
            partitions=entries(backup.commits, backup.dedup),
            derived=entries(backup.derived, {}),
            boundaries=[_Boundary(*partition, offset) for partition, offset in sorted(backup.boundaries.items())],
            tables=dict(backup.tables),
            unsettled=list(backup.unsettled),
            note=backup.note,
            settings_fingerprint=backup.settings_fingerprint,
            versions=dict(backup.versions),
            freeze=backup.freeze or msgspec.UNSET,
            files=dict(content.files),
        )
    )


def decode(text: bytes) -> BackupManifest:
    """Raises DamagedManifestError."""
    content = manifest.decode(text, _Content, FORMAT)
    manifest.require_below((*content.files, content.base), "backup")
    backup = Backup(
        id=content.id,
        created_ms=content.created_ms,
        environment=content.environment,
        base=content.base,
        database=content.database,
        sink=content.sink,
        group=content.group,
        commits=commits(content.partitions),
        derived=commits(content.derived),
        boundaries={Partition(each.topic, each.partition): each.offset for each in content.boundaries},
        dedup=dedup(content.partitions),
        tables=content.tables,
        unsettled=[] if content.unsettled is msgspec.UNSET else content.unsettled,
        note=content.note,
        settings_fingerprint=content.settings_fingerprint,
        versions=content.versions,
        freeze=None if content.freeze is msgspec.UNSET else content.freeze,
    )
    return BackupManifest(backup, content.files)
