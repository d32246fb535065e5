"""What a backup says. The files themselves are beside its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

import attrs

from lpa_core.commands.failure import CommandFailed
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_ops.positions.stored_tables import Content

DATABASE_FOLDER: Final = "database"
CHECKPOINTS_FOLDER: Final = "checkpoints"
FILE_CLAIMS_FOLDER: Final = "dedup-of-files"
_RECORD_TABLES: Final = frozenset({RAW_TABLE.name, DLQ_TABLE.name, QUARANTINE_TABLE.name})


class BackupError(CommandFailed):
    """A backup cannot be made, is damaged, or does not fit. One line: what, where, what to do."""


@final
@attrs.frozen
class Freeze:
    """Hard links to the parts of tables, on the disk of their database.

    Attributes:
        name: of its folder in ``shadow``, beside the tables.
        tables: UUID of each table that is in it.
    """

    name: str
    tables: Mapping[str, str]


@final
@attrs.frozen
class Backup:
    """Attributes:
    id: names it within its store.
    created_ms: epoch ms.
    environment: ``dev``, ``staging`` or ``prod``.
    base: id of the full backup that it adds to; empty for a full one.
    database: name of the database.
    sink: the database, as file checkpoints name it.
    group: the consumer group; empty if no record of its topic was stored.
    commits: for each partition of the group the next offset, and the text beside it: it may name a prepared range.
    derived: for each partition of the topic of touched sessions the next offset of `lpa materialize`.
    boundaries: for each partition of every source the first offset that the backup does not have.
    dedup: for each partition that has claims of its own in the backup, the name of their folder there.
    tables: what the tables hold before the boundaries.
    unsettled: tables that tell no positions and changed while the backup was made: it has them as they were at some
        moment of that time, which nothing can be compared with.
    note: what is not in the backup, and how it comes back; empty if all is.
    settings_fingerprint: see lpa_core.savepoints.fingerprint.
    versions: of the packages that were loaded, and of ClickHouse.
    freeze: what was frozen with it; None for nothing.
    """

    id: str
    created_ms: int
    environment: str
    base: str
    database: str
    sink: str
    group: str
    commits: Mapping[Partition, Commit]
    derived: Mapping[Partition, Commit]
    boundaries: Mapping[Partition, int]
    dedup: Mapping[Partition, str]
    tables: Mapping[str, Content]
    unsettled: Sequence[str]
    note: str
    settings_fingerprint: str
    versions: Mapping[str, str]
    freeze: Freeze | None = None

    @property
    def records(self) -> int:
        """How many records it has, stored and rejected."""
        return sum(content.rows for name, content in self.tables.items() if name in _RECORD_TABLES)


@final
@attrs.frozen
class StoredBackup:
    """A backup as a store lists it, by the name of its folder.

    ``problem`` says why it cannot be restored; ``backup`` is None if it tells nothing.
    """

    location: str
    name: str
    backup: Backup | None
    bytes: int = 0
    problem: str = ""
