"""A folder that holds what commands work on, and commands in it, on streams of every kind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, final

import attrs
from services.preloaded import Fork
from services.terminal_answers import SAVEPOINT

from edges.examples import ENDLESS
from lpa_core.settings.loading import described
from lpa_ops.savepoint.store import FileSavepointStore

DEAD: Final = "127.0.0.1:1"
"""Nobody answers there."""
LONGEST_SECONDS: Final = 300
"""After that a command hangs."""
_ENDLESS_SECONDS: Final = 1.5
FIX: Final = """
[[fix]]
reason = "missing_field"
where = [{ path = "data.request_id", missing = true }]
steps = [{ set = "data.request_id", value = "request" }]
"""
TYPES: Final = """
[types.reading.envelope]
has = ["sensor"]
timestamp = "at"
time = "iso8601"

[types.reading.tables.sensor_readings.columns]
sensor = "label"
value = "float64"
"""
DOCUMENTS: Final = '{"sensor": "a", "at": "2026-01-08T12:00:00Z", "value": 1.5}\n' * 3
ADD: Final = "ALTER TABLE livepeer_analytics.streaming_events ADD COLUMN IF NOT EXISTS zone String DEFAULT '';\n"
DROP: Final = "ALTER TABLE livepeer_analytics.streaming_events DROP COLUMN IF EXISTS zone;\n"


@final
@attrs.frozen
class Ended:
    """How a command ended, what it printed, and how long it took."""

    status: int
    out: bytes
    err: str
    seconds: float

    @property
    def said(self) -> list[str]:
        """The lines on standard error that are no log lines."""
        return [line for line in self.err.splitlines() if not line.startswith("{")]


@final
class Ground:
    """A copy of the prepared folder, which is put back before each command."""

    def __init__(
        self,
        prepared: Path,
        folder: Path,
        file: str = "more.ndjson",
        *,
        within: Sequence[str] = (),
        kept: bool = False,
    ) -> None:
        """``file`` is what the file to ingest is called, ``within`` what runs the server of forks.

        ``kept``: the folder is there already.
        """
        self.folder, self._prepared, self._file, self._within = folder, prepared, file, within
        if not kept:
            self.put_back()

    def put_back(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self._prepared), str(self.folder)], check=True)
        if self._file != "more.ndjson":
            (self.folder / "more.ndjson").rename(self.folder / self._file)

    def start(self, line: str, streams: Sequence[int | None], **environment: str) -> Fork:
        return Fork(self.words(line), self.folder, {**clean_environment(), **environment}, streams, self._within)

    def run(
        self,
        line: str,
        *,
        closed: Sequence[int] = (),
        output: str = "",
        meanwhile: Callable[[Fork], None] | None = None,
        **environment: str,
    ) -> Ended:
        """Run a command to its end.

        Args:
            closed: numbers of the standard streams that are closed.
            output: where standard output goes, if not into a file: a path, or "|" for a pipe that nobody reads.
            meanwhile: what happens to the command while it runs; one that has no end is stopped otherwise.
        """
        with (
            (self.folder / self._file).open("rb") as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            streams: list[int | None] = [given.fileno(), out.fileno(), err.fileno()]
            opened = None
            if output == "|":
                nobody, opened = os.pipe()
                os.close(nobody)
            elif output:
                opened = os.open(output, os.O_WRONLY)
            if opened is not None:
                streams[1] = opened
            for number in closed:
                streams[number] = None
            began = time.monotonic()
            fork = self.start(line, streams, **environment)
            if opened is not None:
                os.close(opened)
            if meanwhile is not None:
                meanwhile(fork)
            elif line == ENDLESS:
                fork.process.wait_for_start()
                time.sleep(_ENDLESS_SECONDS)
                fork.process.send(signal.SIGTERM)
            status = fork.wait(LONGEST_SECONDS)
            seconds = time.monotonic() - began
            out.seek(0)
            err.seek(0)
            return Ended(status, out.read(), err.read().decode(errors="replace"), seconds)

    def words(self, line: str) -> list[str]:
        """The words of a command, with what the folder has in the place of what is in braces."""
        found: dict[str, Callable[[], str]] = {
            "{backup}": lambda: str(next((self.folder / "backups").glob("backup-*"))),
            "{dead}": lambda: DEAD,
            "{file}": lambda: self._file,
            "{query}": lambda: "SELECT type, count() FROM streaming_events GROUP BY type",
            "{replay}": lambda: next((self.folder / "lpa-data" / "replays").iterdir()).name,
            "{savepoint}": lambda: f"savepoints/{SAVEPOINT.id}",
        }
        words = line.split()
        for number, word in enumerate(words):
            for name, value in found.items():
                if name in word:
                    words[number] = word.replace(name, value())
        return words


def prepare(folder: Path, within: Sequence[str]) -> None:
    """Make a folder with events, dead letters, facts, an archive, a backup, a savepoint, a plan and a replay."""
    folder.mkdir()
    (folder / "fix.toml").write_text(FIX)
    migration = folder / "migrations" / "0001-zone"
    migration.mkdir(parents=True)
    (migration / "up.sql").write_text(ADD)
    (migration / "down.sql").write_text(DROP)
    (folder / "sensors.toml").write_text(TYPES)
    (folder / "documents.ndjson").write_text(DOCUMENTS)
    FileSavepointStore(str(folder / "savepoints")).create(SAVEPOINT, {})
    replay = "--all --from dlq-table --to local"
    for line in (
        "generate --events 400 --sessions 12 --bad 0.1 --output events.ndjson",
        "generate --events 300 --sessions 8 --bad 0.1 --seed 2 --output more.ndjson",
        "ingest events.ndjson --archive archive",
        "schema apply --migrations migrations",
        f"replay run {replay} --reason json_parse_error --yes",
        f"replay plan {replay} --fix fix.toml --output plan.json",
        "backup create",
    ):
        with Path(os.devnull).open("r+b") as nothing, tempfile.TemporaryFile() as said:
            streams = [nothing.fileno(), said.fileno(), said.fileno()]
            status = Fork(line.split(), folder, clean_environment(), streams, within).wait(LONGEST_SECONDS)
            said.seek(0)
            assert status == 0, f"{line}\n{said.read().decode()}"


def clean_environment() -> Mapping[str, str]:
    """That of the tests, without a setting, and with a broker that does not answer."""
    settings = {setting.variable for setting in described()}
    kept = {name: value for name, value in os.environ.items() if name not in settings}
    return {
        **kept,
        "LPA_BACKUP_DIR": "backups",
        "LPA_SAVEPOINT_DIR": "savepoints",
        "QUALITY_KAFKA_BOOTSTRAP": DEAD,
    }
