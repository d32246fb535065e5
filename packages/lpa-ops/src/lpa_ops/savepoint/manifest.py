"""The manifest of a savepoint: what it says, and size and checksum of each of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.delivery.log import Commit, Partition
from lpa_core.savepoints import Savepoint

FORMAT: Final = 1


class DamagedManifest(ValueError):
    """It cannot be read, or is not as it was written. The message says which."""


@final
@attrs.frozen(slots=True)
class SavedFile:
    """``sha256`` is in lower-case hex."""

    size: int
    sha256: str


@final
@attrs.frozen(slots=True)
class Manifest:
    """``files`` are paths below the savepoint."""

    savepoint: Savepoint
    files: Mapping[str, SavedFile]


@final
class _Partition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topic: str
    partition: int
    offset: int
    metadata: str
    dedup: str | None


@final
class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As it is written; ``checksum`` is the SHA-256 of the rest."""

    format: int
    id: str
    created_ms: int
    group: str
    partitions: list[_Partition]
    note: str
    settings_fingerprint: str
    versions: dict[str, str]
    files: dict[str, SavedFile]
    checksum: str = ""


def encode(manifest: Manifest) -> bytes:
    savepoint = manifest.savepoint
    content = _Content(
        format=FORMAT,
        id=savepoint.id,
        created_ms=savepoint.created_ms,
        group=savepoint.group,
        partitions=[
            _Partition(*partition, commit.offset, commit.metadata, savepoint.dedup.get(partition))
            for partition, commit in sorted(savepoint.commits.items(), key=lambda item: item[0])
        ],
        note=savepoint.note,
        settings_fingerprint=savepoint.settings_fingerprint,
        versions=dict(savepoint.versions),
        files=dict(manifest.files),
    )
    return msgspec.json.format(msgspec.json.encode(_with_checksum(content)), indent=2) + b"\n"


def decode(text: bytes) -> Manifest:
    """Raises DamagedManifest."""
    try:
        version: Any = msgspec.json.decode(text, type=dict[str, Any]).get("format")
        if version != FORMAT:
            raise DamagedManifest(f"it has the format {version!r}, and this version of lpa reads {FORMAT}")
        content = msgspec.json.decode(text, type=_Content)
    except msgspec.DecodeError as error:
        raise DamagedManifest(f"it cannot be read ({error})") from None
    if content != _with_checksum(content):
        raise DamagedManifest("its checksum does not match")
    if not all(_is_below(path) for path in content.files):
        raise DamagedManifest("it names files outside the savepoint")
    partitions = {Partition(each.topic, each.partition): each for each in content.partitions}
    savepoint = Savepoint(
        id=content.id,
        created_ms=content.created_ms,
        group=content.group,
        commits={partition: Commit(each.offset, each.metadata) for partition, each in partitions.items()},
        dedup={partition: each.dedup for partition, each in partitions.items() if each.dedup is not None},
        note=content.note,
        settings_fingerprint=content.settings_fingerprint,
        versions=content.versions,
    )
    return Manifest(savepoint, content.files)


def _with_checksum(content: _Content) -> _Content:
    plain = msgspec.structs.replace(content, checksum="")
    digest = hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()
    return msgspec.structs.replace(plain, checksum=digest)


def _is_below(path: str) -> bool:
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts
