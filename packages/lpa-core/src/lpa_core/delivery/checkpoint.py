"""Where prepare and finish are written down, so that a killed process goes on where it was."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol, final
from urllib.parse import quote

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_unstructure_fn, override

from lpa_core.delivery.ranges import Progress, Range
from lpa_core.durable import write_file
from lpa_core.errors import JobFailed


class CheckpointError(JobFailed):
    """A checkpoint cannot be read or written. The message names the file and the remedy, in one line."""


class Checkpoint(Protocol):
    """The state of one partition. Each method is durable when it returns, and all or nothing."""

    @property
    def progress(self) -> Progress:
        """How far the partition is finished."""
        ...

    @property
    def prepared(self) -> Range | None:
        """The range that was being written when the last process ended, if any: it is repeated first."""
        ...

    def prepare(self, range_: Range) -> None:
        """Say which range is about to be written. Nothing is written that was not prepared.

        Preparing the same range again may only add to what is refused.
        """
        ...

    def finish(self, range_: Range) -> None:
        """Say that everything of the range is written."""
        ...

    def close(self) -> None: ...


@final
@attrs.frozen
class StoredCheckpoint:
    """What a checkpoint file says. ``sink`` is as :class:`FileCheckpoint` was given it."""

    topic: str
    partition: int
    sink: str
    progress: Progress
    prepared: Range | None


_CONVERTER: Final = cattrs.Converter(forbid_extra_keys=True)
# Version 0.1.0 knows no such field, and takes a checkpoint with one for damaged.
_CONVERTER.register_unstructure_hook(
    Range, make_dict_unstructure_fn(Range, _CONVERTER, reduced=override(omit_if_default=True))
)


@final
class FileCheckpoint:
    """A small JSON file per partition, replaced atomically; locked while its process lives."""

    def __init__(self, folder: Path, topic: str, partition: int, sink: str) -> None:
        """Open or create the checkpoint of a partition towards a sink.

        ``sink`` names where the rows go (no secrets): another sink has not got them yet, so it counts again.
        Raises CheckpointError if another process holds it, or it is damaged or unwritable.
        """
        self._topic, self._partition = topic, partition
        self._sink = sink
        # The digest keeps apart what a shortened name and another sink would not.
        digest = hashlib.sha256(f"{topic}\n{sink}".encode()).hexdigest()[:12]
        self._path = folder / f"{quote(topic, safe='')[:120]}-{partition}-{digest}.json"
        self.progress = Progress()
        self.prepared: Range | None = None
        self.known = False
        """Whether there was one before, be it one that says that nothing is finished."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._path.with_suffix(".lock").open("w")
        except OSError as error:
            raise CheckpointError(_unusable(folder, error)) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.known = self._path.exists()
            if self.known:
                self._load(self._path.read_bytes())
        except BlockingIOError:
            self._lock.close()
            raise CheckpointError(
                f"{topic} is being ingested by another process (it holds {self._lock.name}): wait for it or stop it"
            ) from None
        except OSError as error:
            self._lock.close()
            raise CheckpointError(_unusable(folder, error)) from None
        except CheckpointError:
            self._lock.close()
            raise

    def _load(self, content: bytes) -> None:
        try:
            stored = decode(content)
        except ValueError:
            raise CheckpointError(
                f"the checkpoint {self._path} is damaged: bring back a backup (`lpa backup restore`), or delete "
                f"it and give {self._topic} another name: stored records then count as repeated"
            ) from None
        self.progress, self.prepared = stored.progress, stored.prepared

    def put_back(self, progress: Progress, prepared: Range | None) -> None:
        """Stand where another checkpoint of the same partition stood, such as one in a backup.

        The file's own time, which tells when records were read last, becomes 1970: nothing was read now.
        """
        self._store(progress, prepared)
        os.utime(self._path, (0, 0))

    def prepare(self, range_: Range) -> None:
        self._store(self.progress, range_)

    def finish(self, range_: Range) -> None:
        self._store(range_.progress, None)

    def _store(self, progress: Progress, prepared: Range | None) -> None:
        stored = StoredCheckpoint(self._topic, self._partition, self._sink, progress, prepared)
        try:
            write_file(self._path, [encode(stored)])
        except OSError as error:
            raise CheckpointError(f"the checkpoint {self._path} cannot be written: {error.strerror}") from None
        self.progress, self.prepared = progress, prepared

    def close(self) -> None:
        self._lock.close()


def finished_towards(folder: Path, sink: str) -> dict[str, int]:
    """The number of finished records of each topic that has a checkpoint for this sink in the folder.

    It skips checkpoints that cannot be read: the job that opens one reports it.
    """
    found: dict[str, int] = {}
    for path in folder.glob("*.json"):
        with suppress(OSError, ValueError):
            stored = decode(path.read_bytes())
            if stored.progress.offset and sink in stored.sink.split(","):
                found[stored.topic] = found.get(stored.topic, 0) + stored.progress.offset
    return found


def encode(stored: StoredCheckpoint) -> bytes:
    """The text of a checkpoint file."""
    return msgspec.json.encode(
        {
            "topic": stored.topic,
            "partition": stored.partition,
            "sink": stored.sink,
            "finished": _CONVERTER.unstructure(stored.progress),
            "prepared": _CONVERTER.unstructure(stored.prepared) if stored.prepared else None,
        }
    )


def decode(content: bytes) -> StoredCheckpoint:
    """What the text of a checkpoint file says. Raises ValueError if it is damaged."""
    try:
        state = msgspec.json.decode(content, type=dict[str, Any])
        return StoredCheckpoint(
            topic=state["topic"],
            partition=state.get("partition", 0),
            sink=state["sink"],
            progress=_CONVERTER.structure(state["finished"], Progress),
            prepared=_CONVERTER.structure(state["prepared"], Range) if state["prepared"] else None,
        )
    except (KeyError, ValueError, msgspec.DecodeError, cattrs.BaseValidationError) as error:
        raise ValueError("the checkpoint is damaged") from error


def _unusable(folder: Path, error: OSError) -> str:
    return f"the checkpoint folder {folder} cannot be used: {error.strerror}; make it writable or set LPA_DATA_DIR"


@final
class MemoryCheckpoint:
    """Forgotten with its process: for a source that cannot be read again."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.prepared: Range | None = None

    def prepare(self, range_: Range) -> None:
        self.prepared = range_

    def finish(self, range_: Range) -> None:
        self.progress, self.prepared = range_.progress, None

    def close(self) -> None:
        pass
