"""The manifest of a savepoint: what it says, and size and checksum of each of its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, final

import attrs
import msgspec

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.savepoints import Savepoint
from lpa_ops.bundle import manifest
from lpa_ops.bundle.manifest import SavedFile

FORMAT: Final = 1


@final
@attrs.frozen(slots=True)
class SavepointManifest:
    """``files`` are paths below the savepoint."""

    savepoint: Savepoint
    files: Mapping[str, SavedFile]


@final
class PartitionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the group stands in a partition, and the folder of its claims."""

    topic: str
    partition: int
    offset: int
    metadata: str
    dedup: str | None


@final
class _Content(manifest.Sealed, frozen=True, kw_only=True):
    id: str
    created_ms: int
    group: str
    partitions: list[PartitionEntry]
    note: str
    settings_fingerprint: str
    versions: dict[str, str]


def encode(content: SavepointManifest) -> bytes:
    savepoint = content.savepoint
    return manifest.encode(
        _Content(
            format=FORMAT,
            id=savepoint.id,
            created_ms=savepoint.created_ms,
            group=savepoint.group,
            partitions=entries(savepoint.commits, savepoint.dedup),
            note=savepoint.note,
            settings_fingerprint=savepoint.settings_fingerprint,
            versions=dict(savepoint.versions),
            files=dict(content.files),
        )
    )


def decode(text: bytes) -> SavepointManifest:
    """Raises DamagedManifestError."""
    content = manifest.decode(text, _Content, FORMAT)
    manifest.require_below(content.files, "savepoint")
    savepoint = Savepoint(
        id=content.id,
        created_ms=content.created_ms,
        group=content.group,
        commits=commits(content.partitions),
        dedup=dedup(content.partitions),
        note=content.note,
        settings_fingerprint=content.settings_fingerprint,
        versions=content.versions,
    )
    return SavepointManifest(savepoint, content.files)


def entries(commits: Mapping[Partition, Commit], dedup: Mapping[Partition, str]) -> list[PartitionEntry]:
    return [
        PartitionEntry(*partition, commit.offset, commit.metadata, dedup.get(partition))
        for partition, commit in sorted(commits.items(), key=lambda item: item[0])
    ]


def commits(partitions: Iterable[PartitionEntry]) -> dict[Partition, Commit]:
    return {Partition(each.topic, each.partition): Commit(each.offset, each.metadata) for each in partitions}


def dedup(partitions: Iterable[PartitionEntry]) -> dict[Partition, str]:
    return {Partition(each.topic, each.partition): each.dedup for each in partitions if each.dedup is not None}
