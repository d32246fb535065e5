"""Where the ingestion of files stands: the checkpoints towards one database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lpa_core.delivery.checkpoint import FileCheckpoint, StoredCheckpoint, decode
from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.ranges import Progress
from lpa_core.jobs.assembly import Job
from lpa_core.settings.settings import Settings
from lpa_core.uris import database_of, without_secrets
from lpa_ops.backup.backup import CHECKPOINTS_FOLDER, BackupError


def sink_name(sink: str | None, settings: Settings) -> str:
    """The database as checkpoints name it."""
    return without_secrets(Job(sinks=[] if sink is None else [sink]).sinks_or_default(settings)[0])


def checkpoints(settings: Settings, sink: str) -> dict[Path, StoredCheckpoint]:
    """The checkpoints of this machine whose rows go to the sink, among others maybe. Raises BackupError."""
    found = {}
    for path in sorted(settings.lpa.data.checkpoints.glob("*.json")):
        checkpoint = _read(path)
        if any(same_database(each, sink, settings) for each in checkpoint.sink.split(",")):
            found[path] = checkpoint
    return found


def from_kafka(stored: Iterable[Partition], files: Iterable[StoredCheckpoint], settings: Settings) -> bool:
    """Whether rows came from the topic of the settings, and not from a file of that name."""
    topic = settings.quality.input_topic
    return topic in {partition.topic for partition in stored} - {each.topic for each in files}


def require_unused(settings: Settings, sink: str) -> None:
    """Raise CheckpointError where a process holds a checkpoint towards the sink, BackupError where one is damaged."""
    for path, stored in checkpoints(settings, sink).items():
        FileCheckpoint(path.parent, stored.topic, stored.partition, stored.sink).close()


def require_readable(folder: Path, location: str) -> None:
    """Raise BackupError where this version cannot read a checkpoint of the backup at ``location``."""
    for path in sorted(folder.glob("*.json")):
        try:
            decode(path.read_bytes())
        except (OSError, ValueError) as error:
            raise BackupError(
                f"{location}/{CHECKPOINTS_FOLDER}/{path.name} cannot be read ({error}): restore it with the version of "
                "lpa that made it, which its manifest names"
            ) from None


def put_back(folder: Path, made_for: str, sink: str, settings: Settings) -> int:
    """Have exactly the checkpoints in ``folder`` for the sink, where they were made for a sink ``made_for``.

    Files of which there is none are read from their beginning. Answers how many there are. Raises BackupError, and
    CheckpointError where a process holds one.
    """
    wanted = [_read(path) for path in sorted(folder.glob("*.json"))]
    place = settings.lpa.data.checkpoints
    kept = []
    for stored in wanted:
        named = (sink if same_database(each, made_for, settings) else each for each in stored.sink.split(","))
        checkpoint = FileCheckpoint(place, stored.topic, stored.partition, ",".join(sorted(named)))
        checkpoint.put_back(stored.progress, stored.prepared)
        kept.append(checkpoint)
    topics = {(stored.topic, stored.partition) for stored in wanted}
    for path, there in checkpoints(settings, sink).items():
        if (there.topic, there.partition) in topics:
            continue
        if "," in there.sink:  # other sinks have the file's rows, and find them to be repeated
            kept.append(FileCheckpoint(place, there.topic, there.partition, there.sink))
            kept[-1].put_back(Progress(), None)
        else:
            path.unlink()
    for checkpoint in kept:
        checkpoint.close()
    return len(wanted)


def _read(path: Path) -> StoredCheckpoint:
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise BackupError(
            f"the checkpoint {path} is damaged: bring back a backup (`lpa backup restore`), or delete it and give its "
            "file another name: what is stored is then found to be repeated"
        ) from None


def same_database(one: str, other: str, settings: Settings) -> bool:
    """Whether two names mean one database: scheme, port and database may be left out or differ in form."""
    default = settings.clickhouse.database
    return database_of(one, default) == database_of(other, default)
