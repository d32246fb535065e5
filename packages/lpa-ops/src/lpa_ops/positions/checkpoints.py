"""Where the ingestion of files stands: the checkpoints towards one database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lpa_core.delivery.checkpoint import CheckpointError, StoredCheckpoint, decode
from lpa_core.delivery.consumer_group import Partition
from lpa_core.jobs.assembly import Job
from lpa_core.settings.settings import Settings
from lpa_core.uris import database_of, without_secrets


def sink_name(sink: str | None, settings: Settings) -> str:
    """The database as checkpoints name it."""
    return without_secrets(Job(sinks=[] if sink is None else [sink]).sinks_or_default(settings)[0])


def checkpoints(settings: Settings, sink: str) -> dict[Path, StoredCheckpoint]:
    """The checkpoints of this machine whose rows go to the sink, among others maybe. Raises CheckpointError."""
    found = {}
    for path in sorted(settings.lpa.data.checkpoints.glob("*.json")):
        checkpoint = read_checkpoint(path)
        if any(same_database(each, sink, settings) for each in checkpoint.sink.split(",")):
            found[path] = checkpoint
    return found


def from_kafka(stored: Iterable[Partition], files: Iterable[StoredCheckpoint], settings: Settings) -> bool:
    """Whether rows came from a topic of the settings, and not from a file of that name."""
    topics = {partition.topic for partition in stored} - {each.topic for each in files}
    return not topics.isdisjoint(settings.quality.topics)


def same_database(one: str, other: str, settings: Settings) -> bool:
    """Whether two names mean one database: scheme, port and database may be left out or differ in form."""
    default = settings.clickhouse.database
    return database_of(one, default) == database_of(other, default)


def read_checkpoint(path: Path) -> StoredCheckpoint:
    """Raises CheckpointError if it cannot be read."""
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CheckpointError(
            f"the checkpoint {path} is damaged: bring back a backup (`lpa backup restore`), or delete it and give its "
            "file another name: stored records then count as repeated"
        ) from None
