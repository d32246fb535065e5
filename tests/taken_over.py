"""What version 0.1.0 left behind, unpacked into a folder, and commands of this version on it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, final
from urllib.parse import quote

from services.preloaded import preloaded_python

FIXTURES: Final = Path(__file__).parent / "fixtures" / "0.1.0"
_PLACE: Final = "/place-of-0.1.0"
"""Stands in the fixtures for the folder that they were made in."""
_ENVIRONMENT: Final = {
    "CLICKHOUSE_SINK_MAX_BATCH_SIZE": "60",
    "QUALITY_DEDUP_TTL_MINUTES": "5256000",
    "LPA_BACKUP_DIR": "backups",
    "LPA_SAVEPOINT_DIR": "savepoints",
    "LPA_LOG_LEVEL": "error",
}
_RUN: Final = """
import contextlib, io, json, sys
from lpa_core.cli import run
told = []
for command in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = run(command)
    told.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(told))
"""
_ASK: Final = """
import json, sys
from lpa_core.settings.loading import load
from lpa_sinks.clickhouse.database import opened
with opened(None, load()) as (client, _):
    print(json.dumps([client.query(query).result_rows for query in json.loads(sys.argv[1])], default=str))
"""
RECORDS: Final = """
SELECT arraySort(groupArray((source_topic, source_partition, source_offset))) FROM (
    SELECT source_topic, source_partition, source_offset FROM livepeer_analytics.streaming_events
    UNION ALL SELECT source_topic, source_partition, source_offset FROM livepeer_analytics.streaming_events_dlq
    UNION ALL SELECT source_topic, source_partition, source_offset FROM livepeer_analytics.streaming_events_quarantine
    UNION ALL SELECT source_topic, source_partition, arrayJoin(range(source_offset, next_offset))
    FROM livepeer_analytics.known_gaps WHERE reason = 'ignored')
"""
"""The positions of all records that are stored or ignored, as often as they are."""
_IGNORED: Final = (
    "SELECT toUInt32(sum(next_offset - source_offset)) FROM livepeer_analytics.known_gaps WHERE reason = 'ignored'"
)


class Done(NamedTuple):
    """What a command of lpa came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err or self.out
        return json.loads(self.out)


@final
class TakenOver:
    """A folder in which 0.1.0 was used, with its data folder, backups and what else it wrote."""

    def __init__(self, folder: Path, *fixtures: str, **environment: str) -> None:
        """Unpack fixtures one over the other."""
        self.folder = folder.resolve()
        self._environment = {**_ENVIRONMENT, **environment}
        for name in fixtures:
            with tarfile.open(FIXTURES / f"{name}.tar.xz") as archive:
                archive.extractall(self.folder, filter="data")
        self.told: Mapping[str, Any] = json.loads((self.folder / "told.json").read_text())
        self._come_to_this_folder()

    def _come_to_this_folder(self) -> None:
        """What 0.1.0 would have written here: names of its files are digests of where the database is."""
        data = self.folder / "lpa-data"
        for path in [*data.glob("checkpoints/*.json"), *data.glob("restoration/*.json"), *data.glob("recovery/*.json")]:
            text = path.read_text().replace(_PLACE, str(self.folder))
            path.unlink()
            path.with_name(self._name(path, json.loads(text))).write_text(text)

    def _name(self, path: Path, written: Mapping[str, Any]) -> str:
        if path.parent.name == "recovery":
            return path.name
        if path.parent.name == "restoration":
            return f"{_digest('chdb', str(self.folder / 'lpa-data' / 'clickhouse'))}.json"
        topic = str(written["topic"])
        return f"{quote(topic, safe='')[:120]}-{written['partition']}-{_digest(topic, written['sink'])}.json"

    def lpa(self, *commands: str, **environment: str) -> list[Done]:
        """Run commands, one after the other in a process of their own; none has arguments with spaces."""
        split = json.dumps([command.split() for command in commands])
        return [Done(*each) for each in self._python(_RUN, split, environment)]

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Run a command until it is told to stop."""
        arguments = [str(Path(sys.executable).with_name("lpa")), *command.split()]
        return subprocess.Popen(arguments, cwd=self.folder, env={**os.environ, **self._environment})

    def ask(self, *queries: str, **environment: str) -> list[list[list[Any]]]:
        """The rows of each query to the embedded database."""
        found: list[list[list[Any]]] = self._python(_ASK, json.dumps(queries), environment)
        return found

    def rows(self, **environment: str) -> dict[str, int]:
        """Rows of the tables that 0.1.0 told of."""
        tables = list(self.told["rows"])
        queries = [f"SELECT count() FROM livepeer_analytics.{table}" for table in tables]
        return {table: found[0][0] for table, found in zip(tables, self.ask(*queries, **environment), strict=True)}

    def told_rows(self, **environment: str) -> dict[str, int]:
        """What 0.1.0 told of its tables, without the traces that this version ignores."""
        ((ignored,),) = self.ask(_IGNORED, **environment)[0]
        assert ignored > 0
        return {
            table: rows - ignored * (table in ("streaming_events", "stream_trace_events"))
            for table, rows in self.told["rows"].items()
        }

    def records(self, **environment: str) -> list[tuple[str, int, int]]:
        """The positions of all records that are stored or ignored, as often as they are."""
        return [tuple(each) for each in self.ask(RECORDS, **environment)[0][0][0]]

    def _python(self, code: str, argument: str, environment: Mapping[str, str]) -> Any:
        command = [preloaded_python(), "-c", code, argument]
        context = {**os.environ, **self._environment, **environment}
        done = subprocess.run(command, cwd=self.folder, env=context, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
