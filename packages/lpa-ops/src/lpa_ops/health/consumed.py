"""What was consumed for a database, told by others than the database itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final

from lpa_core.delivery.consumer_group import Partition
from lpa_core.health.check import Scope
from lpa_ops.backup.backups_of_database import is_of
from lpa_ops.backup.store import BackupStore, default_root
from lpa_ops.health.kafka_offsets import Standing
from lpa_ops.positions.checkpoints import checkpoints, sink_name


@final
class Consumed(NamedTuple):
    """Offsets of a partition: the first that was consumed, and the one after the last."""

    first: int
    behind: int

    @property
    def positions(self) -> int:
        return max(0, self.behind - self.first)


def of_files(scope: Scope, since_ms: int) -> dict[Partition, Consumed]:
    """Of the files that were read into the database since then, on this machine. Raises BackupError."""
    found = checkpoints(scope.settings, sink_name(scope.sink, scope.settings))
    return {
        Partition(stored.topic, stored.partition): Consumed(0, stored.progress.offset)
        for path, stored in found.items()
        if stored.progress.offset and path.stat().st_mtime * 1000 >= since_ms
    }


def of_topic(standings: Mapping[Partition, Standing], before: Mapping[Partition, int]) -> dict[Partition, Consumed]:
    """Of the group: ``before`` tells for each partition the offset after the last record before the window."""
    return {
        partition: Consumed(
            min(max(standing.low, before.get(partition, standing.low)), standing.committed), standing.committed
        )
        for partition, standing in standings.items()
    }


def backed_up(scope: Scope, database: str) -> str:
    """The newest backup of the database that has rows of records; empty without one.

    Raises BackupError.
    """
    for stored in reversed(BackupStore(default_root(scope.settings)).list()):
        backup = stored.backup
        if backup is None or backup.database != database or not is_of(backup, scope.sink, scope.settings):
            continue
        if backup.boundaries:
            return backup.id
    return ""
