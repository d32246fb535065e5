"""Remembers how far a recovery has come, so that one that was broken off goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Generic, TypeVar, final

import msgspec

from lpa_core.settings import Settings
from lpa_ops.recover.scenario import Findings, RecoveryError
from lpa_sinks.archive.durable import write_file

F = TypeVar("F", bound=Findings)

FOLDER: Final = "recovery"


class _Written(msgspec.Struct, Generic[F], frozen=True):
    found: F
    done: list[str]


@final
class Journal(Generic[F]):
    """A file in the data folder for each scenario, while it is under way."""

    def __init__(self, settings: Settings, scenario: str, findings: type[F]) -> None:
        self.path: Path = settings.lpa.data_dir / FOLDER / f"{scenario}.json"
        self._type: Any = _Written[findings]  # type: ignore[valid-type]  # known at run time only

    def read(self) -> tuple[F, list[str]] | None:
        """What was found when it began, and the names of the steps that are done; None where nothing is under way.

        Raises RecoveryError where it cannot be read.
        """
        try:
            written = msgspec.json.decode(self.path.read_bytes(), type=self._type)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise RecoveryError(f"{self.path} cannot be read ({error}): remove it to begin anew") from None
        return written.found, written.done

    def write(self, found: F, done: list[str]) -> None:
        """Raises RecoveryError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, [msgspec.json.encode(_Written(found, done))])
        except OSError as error:
            raise RecoveryError(f"{self.path} cannot be written: {error.strerror}; make it writable") from None

    def close(self) -> None:
        """The recovery is done."""
        self.path.unlink(missing_ok=True)
