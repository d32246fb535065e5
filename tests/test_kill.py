"""SIGKILL at random moments and at every step: restarted, the tables are those of an undisturbed run.

Each ingesting process is a fork of this one with the libraries loaded, so that kills fall on work and not on imports.
``LPA_KILLS`` says how many, of five times the events.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from services.preloaded import preloaded_python

from lpa_core.delivery.ranges import Range
from lpa_core.delivery.source_worker import Step, StepListener
from lpa_core.generate.generator import generate
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_core.sources.source import Source
from lpa_sinks.archive import read_archive

pytestmark = pytest.mark.slow

RANDOM_KILLS = int(os.environ.get("LPA_KILLS", "5"))
KILLS_OF_ONE = 10
"""At most, before a run of the same events is let end."""
EVENTS = 100_000 if "LPA_KILLS" in os.environ else 6_000
FORK = multiprocessing.get_context("fork")
TABLES_SQL = """
SELECT name FROM system.tables
WHERE database = 'livepeer_analytics' AND name NOT IN ('underived', 'schema_migrations') AND (
    engine LIKE '%MergeTree' AND name NOT LIKE '%\\_versions'
    OR engine = 'View' AND (name LIKE 'fact\\_%' OR name LIKE 'dim\\_%'))
"""
"""What is stored, and the facts as they are read: by whom and when they were made is not compared."""
CONTENT_SQL = """
SELECT count(), groupBitXor(row_hash), sum(row_hash) FROM (
    SELECT sipHash64(formatRow('JSONEachRow', * EXCEPT ({when}))) AS row_hash
    FROM livepeer_analytics.{table})
"""


def in_child(work: Callable[[], Any]) -> Any:
    """What the work answers, done in a process of its own: an embedded engine cannot move between folders."""
    receiver, sender = FORK.Pipe(duplex=False)
    child = FORK.Process(target=lambda: sender.send(work()))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    finally:
        child.join()


@attrs.frozen
class Place:
    """A data folder and the job that is run on it again and again."""

    folder: Path
    events: Path

    @property
    def settings(self) -> Settings:
        return Settings(
            clickhouse=ClickHouseSettings(sink_max_batch_size=EVENTS // 20),
            lpa=ProcessSettings(data_dir=self.folder, archive_max_bytes=20 * EVENTS, log_level="error"),
        )

    def ingest(self, watch: Callable[[Source], StepListener] = lambda source: lambda step, range_: None) -> int:
        job = Job(str(self.events), archive=str(self.folder / "archive"))
        return ingest(job, self.settings, PluginManager(self.settings), watch).read

    def start(self, watch: Callable[[Source], StepListener] = lambda source: lambda step, range_: None) -> Any:
        child = FORK.Process(target=self.ingest, args=(watch,))
        child.start()
        return child

    def content(self) -> dict[str, Any]:
        return in_child(self._content)  # type: ignore[no-any-return]

    def _content(self) -> dict[str, Any]:
        import clickhouse_connect

        client = clickhouse_connect.get_client(interface="chdb", path=str(self.folder / "clickhouse"))
        tables = [name for (name,) in client.query(TABLES_SQL).result_rows]
        found: dict[str, Any] = {}
        for table in tables:
            derived = table.startswith(("fact_", "dim_"))
            when = "ingestion_timestamp, version" if derived else "ingestion_timestamp, source_record_timestamp"
            found[table] = client.query(CONTENT_SQL.format(table=table, when=when)).result_rows[0]
        archived = Counter(
            (record.offset, hashlib.sha256(record.value or b"").digest())
            for record in read_archive(str(self.folder / "archive"))
        )
        found["archive"] = hashlib.sha256(repr(sorted(archived.items())).encode()).hexdigest()
        return found


@attrs.frozen
class Undisturbed:
    events: Path
    seconds: float
    content: dict[str, Any]


def run_undisturbed(folder: Path) -> Undisturbed:
    events = folder / "events.ndjson"
    with events.open("wb") as file:
        for line in generate(EVENTS, duplicates=0.02, bad=0.01, sessions=200, seed=7):
            file.write(line + b"\n")
    place = Place(folder / "undisturbed", events)
    started = time.monotonic()
    assert in_child(place.ingest) == EVENTS
    seconds = time.monotonic() - started
    content = place.content()
    stored = {table: content[table][0] for table in ("streaming_events", "streaming_events_dlq")}
    assert content["streaming_events_quarantine"][0] == EVENTS * 0.02
    assert content["fact_workflow_sessions"][0] > 100
    assert content["fact_stream_status_samples"][0] == content["ai_stream_status"][0]
    assert stored == {"streaming_events": EVENTS * 0.97, "streaming_events_dlq": EVENTS * 0.01}
    return Undisturbed(events, seconds, content)


def kill_at_random_moments(folder: Path) -> None:
    undisturbed = run_undisturbed(folder)
    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)
    kills = rounds = 0
    while kills < RANDOM_KILLS:
        rounds += 1
        place = Place(folder / str(rounds), undisturbed.events)
        enough = kills + KILLS_OF_ONE
        while True:
            child = place.start()
            # Few events may take no longer than the start: somebody has to be let through to the end.
            child.join(chance.uniform(0, undisturbed.seconds / 2) if kills < enough else None)
            if child.exitcode is not None:
                assert child.exitcode == 0
                break
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            kills += 1
        assert place.content() == undisturbed.content, f"seed {seed}, round {rounds}, after {kills} kills"
    print(f"{kills} kills in {rounds} rounds")


def kill_at_every_step(folder: Path) -> None:
    undisturbed = run_undisturbed(folder)
    place = Place(folder / "killed", undisturbed.events)
    # A range is written in a dozen blocks.
    times = {step: range(1, 3) for step in Step} | {Step.WRITTEN: range(1, 14, 1 if "LPA_KILLS" in os.environ else 4)}
    kills = [(step, nth) for step, some in times.items() for nth in some]
    for step, nth in kills:
        child = place.start(lambda source, step=step, nth=nth: _kill_at(step, nth))  # type: ignore[misc]
        child.join()
        assert child.exitcode == -signal.SIGKILL, f"{step} {nth}"
    in_child(place.ingest)
    assert place.content() == undisturbed.content
    print(f"{len(kills)} kills")


def _kill_at(last: Step, nth: int) -> StepListener:
    passed = 0

    def listener(step: Step, range_: Range) -> None:
        nonlocal passed
        passed += step is last
        if passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    return listener


EXPERIMENTS = {experiment.__name__: experiment for experiment in (kill_at_random_moments, kill_at_every_step)}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_what_survives_kills(name: str, tmp_path: Path) -> None:
    """In a process of its own: one that has had the embedded engine open, as other tests do, cannot fork safely."""
    done = subprocess.run(
        [preloaded_python(), __file__, name, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "kills" in done.stdout


if __name__ == "__main__":
    EXPERIMENTS[sys.argv[1]](Path(sys.argv[2]))
