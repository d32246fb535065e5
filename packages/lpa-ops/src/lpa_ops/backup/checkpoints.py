"""Brings checkpoints of files back from a backup."""

from __future__ import annotations

from pathlib import Path

from lpa_core.delivery.checkpoint import FileCheckpoint, decode
from lpa_core.delivery.ranges import Progress
from lpa_core.settings.settings import Settings
from lpa_ops.backup.backup import CHECKPOINTS_FOLDER, BackupError
from lpa_ops.positions.checkpoints import checkpoints, read_checkpoint, same_database


def require_unused(settings: Settings, sink: str) -> None:
    """Raise CheckpointError if a process holds a checkpoint towards the sink, or one is damaged."""
    for path, stored in checkpoints(settings, sink).items():
        FileCheckpoint(path.parent, stored.topic, stored.partition, stored.sink).close()


def require_readable(folder: Path, location: str) -> None:
    """Raise BackupError if this version cannot read a checkpoint of the backup at ``location``."""
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

    Files of which there is none are read from their beginning. Returns how many there are. Raises CheckpointError
    if one cannot be read, or a process holds it.
    """
    wanted = [read_checkpoint(path) for path in sorted(folder.glob("*.json"))]
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
