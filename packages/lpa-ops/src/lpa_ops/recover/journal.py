"""Remembers how far a recovery has come, so that one that was interrupted goes on."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar, final

import msgspec

from lpa_core.durable import write_file
from lpa_core.jobs import restoration
from lpa_ops.backup.store import BackupStore
from lpa_ops.positions.checkpoints import sink_name
from lpa_ops.recover.scenario import Context, Findings, RecoveryError, Scenario, broken_off
from lpa_sinks.clickhouse.database import endpoint_of

F = TypeVar("F", bound=Findings)


class RecoveryProgress(msgspec.Struct, Generic[F], frozen=True):
    """How far a recovery has come.

    Attributes:
        database: where it works.
        backups: where it looks for backups.
        started_ms: when its first step that changes something was about to begin, epoch ms.
        found: what it was started for.
        begun, done: names of steps.
    """

    database: str
    backups: str
    started_ms: int
    found: F
    begun: list[str]
    done: list[str]

    @property
    def since(self) -> str:
        return datetime.fromtimestamp(self.started_ms / 1000, UTC).isoformat(timespec="seconds")


@final
class Journal(Generic[F]):
    """A file in the data folder for each scenario, from its first change until it is finished.

    As long, files are kept out of the database: what was read counts as stored until checkpoints are put back.
    """

    def __init__(self, scenario: Scenario[F], context: Context) -> None:
        self.path: Path = context.settings.lpa.data.recoveries / f"{scenario.name}.json"
        self._scenario, self._context = scenario, context
        self._sink = sink_name(context.sink, context.settings)
        self._type: Any = RecoveryProgress[scenario.findings]  # type: ignore[name-defined]  # known at run time only

    def read(self) -> RecoveryProgress[F] | None:
        """How far it has come; None if nothing is under way, or a restore has brought the database back since.

        Raises RecoveryError if the file cannot be read, or another database or place of backups is under way.
        """
        try:
            written: RecoveryProgress[F] = msgspec.json.decode(self.path.read_bytes(), type=self._type)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise RecoveryError(f"{self.path} cannot be read ({error}): remove it to begin again") from None
        for what, there, asked, option in (
            ("of", written.database, _database(self._context), "--sink"),
            ("from the backups in", written.backups, _backups(self._context), "--backups"),
        ):
            if there != asked:
                raise RecoveryError(
                    f"{self._scenario.name} {what} {there} is under way since {written.since}, not {what} {asked}: "
                    f"name it with {option} to continue, or abandon it by removing {self.path}"
                )
        # A restore that was finished has let files in again: what there was to recover from is gone.
        return written if restoration.is_barred(self._sink, self._context.settings) else None

    def keep_files_out(self) -> None:
        """Until the recovery is done. Raises CheckpointError."""
        restoration.bar(self._sink, broken_off(self._scenario.name, self._context.command), self._context.settings)

    def begin(self, found: F) -> RecoveryProgress[F]:
        """Nothing is done yet."""
        now = time.time_ns() // 1_000_000
        return RecoveryProgress(_database(self._context), _backups(self._context), now, found, [], [])

    def write(self, progress: RecoveryProgress[F]) -> None:
        """Raises RecoveryError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, [msgspec.json.encode(progress)])
        except OSError as error:
            raise RecoveryError(f"{self.path} cannot be written: {error.strerror}; make it writable") from None

    def close(self) -> None:
        """The recovery is done. Raises CheckpointError."""
        self.path.unlink(missing_ok=True)
        restoration.unbar(self._sink, self._context.settings, broken_off(self._scenario.name, self._context.command))


def _database(context: Context) -> str:
    endpoint = endpoint_of(context.sink, context.settings)
    return str(endpoint.path.resolve()) if endpoint.path is not None else f"{endpoint.url}/{endpoint.database}"


def _backups(context: Context) -> str:
    return BackupStore(context.backups).root
