"""Running the jobs: each a process of its own, which tells what it took; then what it stored is looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from events_topic import PARTITIONS, EventsTopic
from services.clickhouse import ClickHouseServer

from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.topics import apply as apply_topics
from lpa_core.kafka.topics import wanted_topics
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load
from lpa_core.settings.settings import Settings
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_sinks.schema.apply import apply

JOBS = Path(__file__).parent

Run = dict[str, Any]


class Jobs:
    def __init__(self, folder: Path, topic: EventsTopic) -> None:
        self.folder, self.topic = folder, topic

    def script(self, name: str, folder: str = "", requirement: str = "") -> Run:
        python = [sys.executable]
        if requirement:
            # An environment of its own: peers want other versions of the same clients.
            wanted = (requirement, "clickhouse-connect", f"chdb-core=={version('chdb-core')}", "orjson")
            python = [os.environ.get("UV", "uv"), "run", "--python", sys.executable]
            python += ["--quiet", "--no-project", "--isolated"]
            python += [*(word for each in wanted for word in ("--with", each)), "python"]
        command = [*python, str(JOBS / name), self.topic.kafka.bootstrap, self.topic.name, str(self.topic.events)]
        command += [folder] if folder else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr[-1500:]}")
        found: Run = json.loads(done.stdout.splitlines()[-1])
        if folder:
            found |= self.stored(f"{folder}/database", "floor.raw")
        return found

    def stored(self, database: str, raw: str, dead: str = "") -> Run:
        """What is in the tables of raw rows and of dead letters; a job without such a table counts its own."""
        command = [
            sys.executable,
            str(JOBS / "rows_stored.py"),
            str(self.topic.expected),
            database,
            raw,
            *([dead] if dead else []),
        ]
        found: Run = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return found

    def settings(self, folder: Path, topic: str, group: str, database: ClickHouseServer | None) -> dict[str, str]:
        return {
            **os.environ,
            "QUALITY_KAFKA_BOOTSTRAP": self.topic.kafka.bootstrap,
            "QUALITY_INPUT_TOPIC": topic,
            "QUALITY_DLQ_TOPIC": f"{topic}-dlq",
            "QUALITY_QUARANTINE_TOPIC": f"{topic}-quarantine",
            "QUALITY_TOUCHED_TOPIC": f"{topic}-touched",
            "QUALITY_GROUP_ID": group,
            "LPA_DATA_DIR": str(folder),
            "LPA_ADMIN_ADDRESS": "127.0.0.1:0",
            "CLICKHOUSE_USER": database.user if database else "default",
            "CLICKHOUSE_PASSWORD": database.password if database else "",
        }

    def make_topics(self, environment: Mapping[str, str]) -> None:
        """The topics of a job, where they are missing."""
        settings = load(environment)
        apply_topics(admin_client(settings), wanted_topics(settings, PARTITIONS), settings)

    def workers(self, count: int, database: ClickHouseServer | None, *options: str) -> Run:
        """Run that many workers over the topic; time from when each has begun until all is finished.

        ``options`` are those of ``complete.py``.
        """
        group = uuid.uuid4().hex
        self.make_topics(self.settings(self.folder, self.topic.name, group, database))
        lock, progress, running = threading.Lock(), [list[Run]() for _ in range(count)], []
        finished = threading.Event()

        def follow(number: int, process: subprocess.Popen[str]) -> None:
            assert process.stdout is not None
            for line in process.stdout:
                with lock:
                    progress[number].append(json.loads(line))
                    done = sum(max((told.get("done", 0) for told in each), default=0) for each in progress)
                    if done >= self.topic.events:
                        finished.set()

        for number in range(count):
            folder = self.folder / f"worker-{uuid.uuid4().hex[:6]}"
            folder.mkdir()
            sink = f"chdb://{folder}/database" if database is None else f"clickhouse://127.0.0.1:{database.port}"
            process = subprocess.Popen(
                [sys.executable, str(JOBS / "complete.py"), sink, *options],
                stdout=subprocess.PIPE,
                text=True,
                env=self.settings(folder, self.topic.name, group, database),
            )
            running.append((process, threading.Thread(target=follow, args=(number, process))))
            running[-1][1].start()
        while not finished.wait(1):
            if any(process.poll() for process, _ in running):
                raise RuntimeError("a worker ended before all was finished")
        for process, thread in running:
            process.terminate()
            process.wait()
            thread.join()
        found = _throughput(progress)
        if database is None:
            tables = (f"livepeer_analytics.{table.name}" for table in (RAW_TABLE, DLQ_TABLE))
            found |= self.stored(f"{folder}/database", *tables)
        return found

    def new_database(self) -> ClickHouseServer:
        database = ClickHouseServer()
        tables = (*Pipeline(PluginManager(Settings()).event_types()).tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE)
        with database.client() as client:
            apply(client, "livepeer_analytics", tables)
        return database


def _throughput(progress: Sequence[Sequence[Run]]) -> Run:
    """From when every worker has begun to when the last range was finished."""
    told = [[each for each in one if "done" in each] for one in progress]
    begun = max(one[0]["at"] for one in told)
    before = sum(max((each["done"] for each in one if each["at"] <= begun), default=0) for one in told)
    after = sum(one[-1]["done"] for one in told)
    return {
        "read": after - before,
        "seconds": max(one[-1]["at"] for one in told) - begun,
        "cpu_seconds": sum(one[-1]["cpu"] - one[0]["cpu"] for one in told),
        "peak_kib": max(one[-1]["peak_kib"] for one in told),
        "stages": progress[0][-1].get("stages", {}),
        "done": [one[-1]["done"] for one in told],
    }
