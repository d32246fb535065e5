"""SIGKILL at random moments of a replay: outcomes and tables are those of an undisturbed one.

Each replaying process is a fork of this one with the libraries loaded, so that kills fall on work and not on imports.
``LPA_REPLAY_KILLS`` and ``LPA_REPLAY_RECORDS`` say how many; what is found is printed with the seed.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
from services.preloaded import preloaded_python

from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_replay.audit import recorded_runs
from lpa_replay.database import opened
from lpa_replay.planning.request import Request, asked, new_plan
from lpa_replay.running.run import Replays
from lpa_replay.spool.run_folder import unfinished
from lpa_replay.testing.place import FIX, MOMENT, event
from lpa_replay.verify import verify

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("LPA_REPLAY_KILLS", "3"))
RECORDS = int(os.environ.get("LPA_REPLAY_RECORDS", "3000"))
FORK = multiprocessing.get_context("fork")
CONTENT = """
SELECT count(), groupBitXor(row_hash), sum(row_hash) FROM (
    SELECT sipHash64({columns}) AS row_hash FROM livepeer_analytics.{table} {final})
"""
COMPARED = {
    "streaming_events": "dedup_key, simpleJSONExtractString(raw_json, '__replay_origin'), source_offset",
    "ai_stream_status": "raw_event_uid, pipeline, source_offset, replay",
    "streaming_events_dlq": "failure_reason, attempt, source_offset",
    "streaming_events_quarantine": "failure_reason, attempt, source_offset",
    "replay_outcomes": "number, source_offset, outcome, why, dedup_key, attempt, result, result_reason",
}
"""What has to be the same; ids and times of runs differ."""


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
class Folder:
    """A data folder, and the replay of all its dead letters."""

    path: Path

    @property
    def settings(self) -> Settings:
        return Settings(
            clickhouse=ClickHouseSettings(sink_max_batch_size=2_000),
            lpa=ProcessSettings(data_dir=self.path, log_level="error"),
        )

    @property
    def replays(self) -> Replays:
        return Replays(self.settings, PluginManager(self.settings))

    def ingest(self, file: Path) -> int:
        return ingest(Job(str(file)), self.settings, PluginManager(self.settings)).read

    def replay(self) -> int:
        """Begin the replay, or go on with it."""
        replays = self.replays
        request = Request(everything=True, fix=self.path.parent / "fix.toml")
        what = asked(request, replays.settings)
        plan = unfinished(replays.root, what.fingerprint)
        plan = plan or new_plan(request, what, replays.settings, replays.plugins, replays.clock())
        figures = replays.run(plan, lambda source: lambda step, range_: None, lambda records, total: None)
        return int(figures["published"])

    @property
    def delivered(self) -> bool:
        """Whether the replay is at its end: begun again it would be another one, of what failed again."""
        return any((self.settings.lpa.data_dir / "replays").glob("*/delivered.json"))

    def content(self) -> dict[str, Any]:
        """What the tables hold, once the run is verified; and how many runs there were."""
        with opened(None, self.settings) as database:
            runs = recorded_runs(database)
            tables = [table for each in self.replays.plugins.event_types() for table in each.tables]
            checks = verify(database, runs[0], tables, 86_400_000, runs[0].started_ms + 60_000)
            found: dict[str, Any] = {
                table: database.rows(
                    table, CONTENT.format(table=table, columns=columns, final="FINAL" if "replay" in table else "")
                )
                for table, columns in COMPARED.items()
            }
        return {**found, "runs": len(runs), "passed": [check.name for check in checks if check.passed is not False]}


def line(number: int) -> bytes:
    """Most pass, some fail again, some are copies of an event before, some are nothing at all."""
    if number % 50 == 7:
        return b"nonsense"
    identity = number - number % 10 if number % 100 == 3 else number
    failing = {"type": ""} if number % 40 == 9 else {}
    return msgspec.json.encode(event(f"e-{identity}", MOMENT + number, **failing))


def kill_at_random_moments(folder: Path) -> None:
    (folder / "fix.toml").write_text(FIX)
    file = folder / "events.ndjson"
    file.write_bytes(b"".join(line(number) + b"\n" for number in range(RECORDS)))
    undisturbed = Folder(folder / "undisturbed")
    assert in_child(lambda: undisturbed.ingest(file)) == RECORDS
    started = time.monotonic()
    published = in_child(undisturbed.replay)
    seconds = time.monotonic() - started
    expected = in_child(undisturbed.content)
    assert RECORDS * 0.9 < published < RECORDS
    assert expected["runs"] == 1
    assert expected["streaming_events"][0][0] > RECORDS * 0.9

    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        place = Folder(folder / str(rounds))
        assert in_child(lambda place=place: place.ingest(file)) == RECORDS  # type: ignore[misc]
        while True:
            child = FORK.Process(target=place.replay)
            child.start()
            child.join(chance.uniform(0, seconds))
            if child.exitcode is not None:
                assert child.exitcode == 0
                break
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join()
            kills += 1
            if place.delivered:
                break
        found = in_child(place.content)
        differs = {name: (found[name], expected[name]) for name in expected if found[name] != expected[name]}
        assert not differs, f"seed {seed}, round {rounds}, after {kills} kills: (found, expected) {differs}"
        shutil.rmtree(place.path)
    print(f"{kills} kills in {rounds} rounds of {seconds:.1f} s, {RECORDS} records")


def test_what_survives_kills(tmp_path: Path) -> None:
    """In a process of its own: one that has had the embedded engine open, as other tests do, cannot fork safely."""
    done = subprocess.run([preloaded_python(), __file__, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kills" in done.stdout


if __name__ == "__main__":
    kill_at_random_moments(Path(sys.argv[1]))
