"""Where each source goes on after tables were brought back from a backup, and what of it is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import final

import attrs

from lpa_core.counted import counted
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import committed_in_the_end
from lpa_core.kafka.permissions import require
from lpa_core.settings.settings import Settings
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_ops.backup.backup import Backup
from lpa_ops.positions.checkpoints import checkpoints, sink_name
from lpa_ops.positions.committed import earliest, latest


@final
@attrs.frozen
class Sources:
    """Attributes:
    cut: for each partition the first offset whose rows are taken out, to be read again.
    commits: what the group goes on with, of the partitions that are read again.
    again: records of the topic that are read again.
    lost: what no longer can be.
    """

    cut: Mapping[Partition, int]
    commits: Mapping[Partition, Commit]
    again: int
    lost: list[str]


def sources(
    backup: Backup,
    stored: Mapping[Partition, int],
    sink: str | None,
    settings: Settings,
    holds_nothing: Callable[[Partition, OffsetSpan], bool],
) -> Sources:
    """What is to be read again, where ``stored`` tells for each partition the offset after its last row.

    Rows whose source does not have them any more are left where they are. ``holds_nothing`` tells whether there never
    was a record at some offsets. Raises BrokerError, BrokerUnavailable, BackupError, and what that raises.
    """
    topics = settings.quality.topics
    found = checkpoints(settings, sink_name(sink, settings)).values()
    files = {Partition(each.topic, each.partition) for each in found}
    cut: dict[Partition, int] = {}
    commits: dict[Partition, Commit] = {}
    lost: list[str] = []
    again = 0
    if backup.group:
        admin = admin_client(settings)
        require("lpa recover", admin, settings)
        now = {each: commit for each, commit in committed_in_the_end(admin, settings).items() if each.topic in topics}
        partitions = sorted({*now, *backup.commits})
        low, high = earliest(admin, settings, partitions), latest(admin, settings, partitions)
        for partition in partitions:
            saved = backup.commits.get(partition)
            gone = OffsetSpan(saved.offset if saved else 0, low[partition])
            lacking = gone.size > 0 and not holds_nothing(partition, gone)
            if lacking:
                lost.append(
                    f"{partition}: the topic no longer holds {gone.first} to {gone.behind - 1}: what the damaged "
                    "tables had of them is only in the archive"
                )
            if saved and lacking:
                cut[partition] = max(stored.get(partition, 0), saved.offset)
                continue
            commit = saved if saved and not gone.size else Commit(low[partition])
            cut[partition], commits[partition] = commit.offset, commit
            again += max(0, high[partition] - commit.offset)
    # Of some, only the damaged tables had rows: what the backup has of them stays.
    for partition, behind in {**dict.fromkeys(backup.boundaries, 0), **stored}.items():
        if partition in cut:
            continue
        boundary = backup.boundaries.get(partition, 0)
        cut[partition] = boundary if partition in files else max(behind, boundary)
        if boundary >= behind:
            continue
        kept = counted(behind - boundary, "record is stored", "records are stored")
        came = f"{counted(behind - boundary, 'record')} came since the backup"
        since = f"{partition}: {came if backup.id else kept}"
        if partition in files:
            lost.append(f"{since}, and are read again from the file: keep it, or they are lost")
        else:
            lost.append(f"{since}, and cannot be read again: the damaged tables lose what they had of them")
    return Sources(cut, commits, again, lost)
