"""Databases that are being brought back: files and pipes are kept out of one until that is done.

Where a file stands is written down beside the database. While rows are brought back the two do not agree, and a file
that is finished would stay unread over rows that are missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from lpa_core.delivery.checkpoint import CheckpointError
from lpa_core.durable import write_file
from lpa_core.settings.settings import Settings
from lpa_core.uris import database_of


class _Bar(msgspec.Struct, frozen=True):
    sink: str
    why: str


def bar(sink: str, why: str, settings: Settings) -> None:
    """Keep everything out of a database until :func:`unbar`, whatever happens to this process.

    ``sink`` names it as checkpoints do, ``why`` says what is not finished and what to do. Durable after return.
    Raises CheckpointError.
    """
    path = _path(sink, settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, [msgspec.json.encode(_Bar(sink, why))])
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be written: {error.strerror}; make it writable or set LPA_DATA_DIR"
        ) from None


def unbar(sink: str, settings: Settings, only: str = "") -> None:
    """The database is whole; ``only`` where it was barred for that reason. Raises CheckpointError."""
    path = _path(sink, settings)
    try:
        if only and path.exists() and _read(path, sink).why != only:
            return
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be removed: {error.strerror}; make its folder writable") from None


def is_barred(sink: str, settings: Settings) -> bool:
    """Whether something is not finished."""
    return _path(sink, settings).exists()


def require_whole(sinks: Iterable[str], settings: Settings, but: str = "") -> None:
    """Raise CheckpointError if one of the databases is barred; for ``but`` it may be."""
    for sink in sinks:
        path = _path(sink, settings)
        if not path.exists():
            continue
        found = _read(path, sink)
        if found.why != but:
            raise CheckpointError(f"{found.sink}: {found.why}")


def _read(path: Path, sink: str) -> _Bar:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Bar)
    except (OSError, msgspec.DecodeError) as error:
        raise CheckpointError(
            f"{path} cannot be read ({error}): {sink} is not wholly restored, restore it again"
        ) from None


def _path(sink: str, settings: Settings) -> Path:
    address = "\n".join(database_of(sink, settings.clickhouse.database))
    return settings.lpa.data.restorations / f"{hashlib.sha256(address.encode()).hexdigest()[:12]}.json"
