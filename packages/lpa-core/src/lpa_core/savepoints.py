"""A savepoint: where a consumer group stands and which dedup keys are claimed, to go on from elsewhere or later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, final

import attrs

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.errors import JobFailed


class SavepointError(JobFailed):
    """A savepoint cannot be made, is damaged or is somebody else's. One line: what, where, what to do."""


@final
@attrs.frozen
class Savepoint:
    """What a savepoint says. The claims themselves are folders beside it.

    Attributes:
        id: names it within its store.
        created_ms: epoch ms.
        group: the consumer group.
        commits: for each partition the next offset, and the text beside it: it may name a prepared range.
        dedup: for each partition that has claims of its own in the savepoint, the name of their folder there.
        note: what of the claims is not in the savepoint, and where it is; empty if all are.
        settings_fingerprint: see :func:`lpa_core.plugins.fingerprint.fingerprint`.
        versions: of the packages that were loaded.
    """

    id: str
    created_ms: int
    group: str
    commits: Mapping[Partition, Commit]
    dedup: Mapping[Partition, str]
    note: str
    settings_fingerprint: str
    versions: Mapping[str, str]

    @property
    def topics(self) -> Sequence[str]:
        return sorted({partition.topic for partition in self.commits})


@final
@attrs.frozen
class StoredSavepoint:
    """A savepoint as a store lists it. ``problem`` says why it cannot be read; ``savepoint`` is None then."""

    location: str
    savepoint: Savepoint | None
    bytes: int = 0
    problem: str = ""


class SavepointStore(Protocol):
    """Keeps savepoints in one place. Every method may block on disk or network, and raises SavepointError."""

    def create(self, savepoint: Savepoint, folders: Mapping[str, Path]) -> str:
        """Keep a savepoint with its folders, by the names that ``savepoint.dedup`` uses, and return where.

        It is durable and whole after return; one that was interrupted is never listed.
        """
        ...

    def list(self) -> Sequence[StoredSavepoint]:
        """All savepoints, oldest first."""
        ...

    def open(self, location: str, target: Path) -> Savepoint:
        """Copy the folders into ``target``, which must not exist yet, checking size and checksum of every file.

        Raises SavepointError naming the file that is damaged or missing; ``target`` is of no use then.
        """
        ...


class SavepointKeeper(Protocol):
    """Makes and restores savepoints of the consumer group that the settings name."""

    def keep(self, savepoint: Savepoint, folders: Mapping[str, Path], location: str | None = None) -> str:
        """Keep a savepoint (see :meth:`SavepointStore.create`) and return where.

        ``location`` is the folder or URL that it is put into; by default ``LPA_SAVEPOINT_DIR``. Raises SavepointError.
        """
        ...

    def restore(self, location: str) -> Savepoint:
        """Bring the group's committed offsets and this machine's claims back to where the savepoint has them.

        Raises SavepointError if it is damaged, of another group or topic, or the group has members, and BrokerError
        or BrokerUnavailable. The savepoint is checked as a whole before anything is changed; restoring again goes on.
        """
        ...
