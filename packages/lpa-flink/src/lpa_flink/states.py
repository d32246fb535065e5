"""The folder of Flink's state: what jobs left there, which of it is the newest, and what lpa notes beside it.

    jobs/<job id>.json                  who the job is; written before it is started
    checkpoints/<job id>/chk-<number>/  Flink's; those of a job that failed or was cancelled stay
    savepoints/savepoint-<first six digits of the job id>-<number>/
                                        Flink's, with lpa's note in it

Savepoints and checkpoints of a job are numbered in one sequence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar, final

import attrs
import msgspec
import tenacity

from lpa_core.errors import JobFailed
from lpa_core.settings.settings import Settings
from lpa_core.sinks.archive import ArchiveError
from lpa_core.uris import scheme
from lpa_flink.identity import JobIdentity
from lpa_sinks.archive.storage import open_storage

NOTE: Final = "lpa-savepoint.json"
"""In the folder of a savepoint. Flink does not look at it."""
_METADATA: Final = "_metadata"
"""Flink writes it last: a checkpoint or savepoint without it is not whole."""
_CHECKPOINT: Final = re.compile(r"checkpoints/([0-9a-f]{32})/chk-(\d+)")
_SAVEPOINT: Final = re.compile(r"savepoints/savepoint-([0-9a-f]{6})-[0-9a-f]+")
_ATTEMPTS: Final = 3
_WAIT: Final = tenacity.wait_random_exponential(multiplier=0.3, max=3)

T = TypeVar("T")


class FlinkStateError(JobFailed):
    """A state cannot be read, is not the newest, or is another job's."""


@final
class JobNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who a job is.

    Attributes:
        started_ms: epoch ms.
        state: where the state was that it began with.
    """

    job_id: str
    started_ms: int
    identity: JobIdentity
    state: str = ""
    format: int = 1


@final
class StoredUpTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A partition, the offset that the group had committed, and the one after the last of which rows were stored."""

    topic: str
    partition: int
    committed: int
    stored: int


@final
class SavepointNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lpa noted beside a savepoint.

    Attributes:
        checkpoint_id: its number in the job's sequence.
        drained: the job finished everything it held, and this is not to be gone on from.
        stopped: the job ended with it.
        partitions: where group and tables stood then.
    """

    job: JobNote
    created_ms: int
    checkpoint_id: int
    drained: bool
    stopped: bool
    partitions: list[StoredUpTo]
    format: int = 1


@final
@attrs.frozen
class FlinkState:
    """A checkpoint or savepoint that is there.

    Attributes:
        number: in its job's sequence; None if nothing says it.
        job: None if nothing says whose it is.
        note: of a savepoint that lpa made.
    """

    location: str
    savepoint: bool
    job: JobNote | None = None
    number: int | None = None
    note: SavepointNote | None = None
    problem: str = ""

    @property
    def order(self) -> tuple[int, int]:
        return (self.job.started_ms if self.job else 0, self.number or 0)


@final
class StateFolder:
    """Reads and writes lpa's notes. Every method raises FlinkStateError if the folder cannot be read or written."""

    def __init__(self, settings: Settings) -> None:
        self.root = state_root(settings)
        with _errors():
            self._storage = open_storage(self.root, wait=_WAIT, attempts=_ATTEMPTS, what="Flink's state")

    def note_job(self, note: JobNote) -> None:
        self._write(f"jobs/{note.job_id}.json", note)

    def note_savepoint(self, location: str, note: SavepointNote) -> None:
        self._write(f"{self._path(location)}/{NOTE}", note)

    def jobs(self) -> dict[str, JobNote]:
        """By id."""
        with _errors():
            paths = [path for path in self._storage.files("jobs") if path.endswith(".json")] if self._there() else []
        found = [self._read(path, JobNote) for path in paths]
        return {note.job_id: note for note in found if note is not None}

    def states(self) -> list[FlinkState]:
        """Everything that is whole, in the order in which it was made; first what cannot be put in order."""
        if not self._there():
            return []
        jobs = self.jobs()
        with _errors():
            checkpoints = [path for job in self._storage.folders("checkpoints") for path in self._storage.folders(job)]
            found = [
                path
                for path in (*checkpoints, *self._storage.folders("savepoints"))
                if f"{path}/{_METADATA}" in self._storage.files(path)
            ]
        return sorted(filter(None, (self._state(path, jobs) for path in found)), key=lambda state: state.order)

    def located(self, location: str) -> FlinkState:
        """The state of a location. Raises FlinkStateError if there is none in this folder."""
        path = self._path(location)
        for state in self.states():
            if self._path(state.location) == path:
                return state
        raise FlinkStateError(
            f"{location}: there is no whole savepoint or checkpoint in {self.root}: see `lpa flink savepoints`"
        )

    def _state(self, path: str, jobs: dict[str, JobNote]) -> FlinkState | None:
        location = f"{self.root}/{path}"
        if found := _CHECKPOINT.fullmatch(path):
            job = jobs.get(found[1])
            return FlinkState(location, False, job, int(found[2]), problem="" if job else _NOBODYS)
        if not (found := _SAVEPOINT.fullmatch(path)):
            return None
        note = self._read(f"{path}/{NOTE}", SavepointNote)
        if note is not None:
            return FlinkState(location, True, note.job, note.checkpoint_id, note)
        of_prefix = [job for job_id, job in jobs.items() if job_id.startswith(found[1])]
        if len(of_prefix) != 1:
            return FlinkState(location, True, problem=_NOBODYS)
        return FlinkState(location, True, of_prefix[0], problem=_NO_NOTE)

    def _path(self, location: str) -> str:
        """Below the root. Flink writes ``file:/folder``, and so may a person."""
        return plain(location).removeprefix(plain(self.root)).strip("/")

    def _there(self) -> bool:
        return scheme(self.root) != "file" or Path(plain(self.root)).is_dir()

    def _read(self, path: str, kind: type[T]) -> T | None:
        """None if there is none."""
        with _errors():
            if path not in self._storage.files(path.rpartition("/")[0]):
                return None
            text = b"".join(self._storage.read(path))
        try:
            return msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise FlinkStateError(f"{self.root}/{path}: not a note of lpa's ({error}): move it away") from None

    def _write(self, path: str, note: JobNote | SavepointNote) -> None:
        text = msgspec.json.format(msgspec.json.encode(note), indent=1) + b"\n"
        with _errors():
            self._storage.put(path, lambda: [text])


_NOBODYS: Final = "nothing says which job it is of"
_NO_NOTE: Final = "made without `lpa flink`: nothing says what was stored then"


def newest(states: Sequence[FlinkState], name: str) -> FlinkState | None:
    """The state that a job of this name left last; None if it left none.

    Raises FlinkStateError if nothing says which of several it is.
    """
    own = [state for state in states if state.job is not None and state.job.identity.name == name]
    if not own:
        return None
    last = max(state.order[0] for state in own)
    of_last = [state for state in own if state.order[0] == last]
    if len(of_last) > 1 and any(state.number is None for state in of_last):
        unknown = next(state for state in of_last if state.number is None)
        raise FlinkStateError(
            f"{unknown.location} was made without `lpa flink`, and nothing says whether {of_last[-1].location} is "
            "newer: move the older one away, then do this again"
        )
    return of_last[-1]


def state_root(settings: Settings) -> str:
    """The folder or URL of Flink's state, without a slash at its end: LPA_FLINK_STATE_DIR."""
    root = settings.lpa_flink.state_dir or str(settings.lpa.data.flink)
    return str(Path(plain(root)).absolute()) if scheme(root) == "file" else root.rstrip("/")


def for_flink(location: str) -> str:
    """The location as Flink takes it: a URL."""
    return f"file://{location}" if scheme(location) == "file" and location.startswith("/") else location


def plain(location: str) -> str:
    """Without ``file:``, which Flink writes with one slash or three."""
    return re.sub(r"^file:/*(?=/)", "", location).rstrip("/")


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ArchiveError as error:
        raise FlinkStateError(f"{error}; see LPA_FLINK_STATE_DIR") from None
