"""The main job from Kafka against floors and peers, on the same topic of generated events, in one run.

Floors: consume and count; consume, decode and insert raw rows. Complete: `lpa ingest`. Peers: decode, required fields,
dedup, the same raw rows, in Quix Streams and Bytewax. All write to the embedded engine, which `lpa ingest` does once
more with facts of sessions derived beside, in the same process, as it does by default. Then one worker beside two,
over HTTP to one database, and the time from producing to being queryable at an even pace, embedded and over HTTP.

    ./dev bench kafka [--events N] [--rounds N] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from services.clickhouse import ClickHouseServer
from services.kafka import KafkaCluster

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate import generate
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.topics import apply as apply_topics
from lpa_core.kafka.topics import wanted_topics
from lpa_core.pipeline import Pipeline
from lpa_core.rejects import DLQ_TABLE, QUARANTINE_TABLE
from lpa_core.rows import RAW_TABLE
from lpa_core.settings import load
from lpa_sinks.schema.apply import apply

JOBS = Path(__file__).with_name("kafka_jobs")
PARTITIONS = 12
PEERS = {
    "Quix Streams": ("quix.py", "quixstreams==3.28.1"),
    "Bytewax": ("bytewax_flow.py", "bytewax[kafka]==0.21.1"),
}
SECTIONS = ("jobs", "peers", "facts", "workers", "latency")
console = Console()

Run = dict[str, Any]


class Bench:
    def __init__(self, folder: Path, events: int) -> None:
        self.folder, self.events = folder, events
        self.kafka = KafkaCluster()
        self.topic = self.new_topic("events")
        self.fill()

    def new_topic(self, name: str, partitions: int = PARTITIONS) -> str:
        topic = f"{name}-{uuid.uuid4().hex[:6]}"
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap})
        for future in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            future.result()
        return topic

    def fill(self) -> None:
        producer = self.producer(50)
        for value in generate(self.events, duplicates=0.02, bad=0.01, sessions=50, seed=1):
            line = value.rstrip(b"\n")
            while True:
                try:
                    producer.produce(self.topic, line, key=_key(line))
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.flush(300)

    def producer(self, linger_ms: int) -> Producer:
        return Producer({"bootstrap.servers": self.kafka.bootstrap, "linger.ms": linger_ms, "log_level": 0})

    def script(self, name: str, *arguments: str, requirement: str = "") -> Run:
        python = [sys.executable]
        if requirement:
            # An environment of its own: peers want other versions of the same clients.
            wanted = (requirement, "clickhouse-connect", "chdb-core", "orjson")
            python = [os.environ.get("UV", "uv"), "run", "--python", sys.executable]
            python += ["--quiet", "--no-project", "--isolated"]
            python += [*(word for each in wanted for word in ("--with", each)), "python"]
        command = [*python, str(JOBS / name), self.kafka.bootstrap, self.topic, str(self.events), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr[-1500:]}")
        found: Run = json.loads(done.stdout.splitlines()[-1])
        return found

    def settings(self, folder: Path, topic: str, group: str, database: ClickHouseServer | None) -> dict[str, str]:
        return {
            **os.environ,
            "QUALITY_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
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
        self.make_topics(self.settings(self.folder, self.topic, group, database))
        lock, progress, running = threading.Lock(), [list[Run]() for _ in range(count)], []
        finished = threading.Event()

        def follow(number: int, process: subprocess.Popen[str]) -> None:
            assert process.stdout is not None
            for line in process.stdout:
                with lock:
                    progress[number].append(json.loads(line))
                    done = sum(max((told.get("done", 0) for told in each), default=0) for each in progress)
                    if done >= self.events:
                        finished.set()

        for number in range(count):
            folder = self.folder / f"worker-{uuid.uuid4().hex[:6]}"
            folder.mkdir()
            sink = f"chdb://{folder}/database" if database is None else f"clickhouse://127.0.0.1:{database.port}"
            process = subprocess.Popen(
                [sys.executable, str(JOBS / "complete.py"), sink, *options],
                stdout=subprocess.PIPE,
                text=True,
                env=self.settings(folder, self.topic, group, database),
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
        return _throughput(progress)

    def latency(self, database: ClickHouseServer | None, pace: int, seconds: int) -> list[float]:
        """Seconds from producing to being queryable, for each event of an even stream.

        Without a database the worker has one embedded, and says itself what is stored: nobody else can look into it.
        """
        topic = self.new_topic("even")
        folder = self.folder / f"latency-{uuid.uuid4().hex[:6]}"
        folder.mkdir()
        sink = f"chdb://{folder}/database" if database is None else f"clickhouse://127.0.0.1:{database.port}"
        environment = self.settings(folder, topic, uuid.uuid4().hex, database)
        self.make_topics(environment)
        worker = subprocess.Popen(
            [sys.executable, str(JOBS / "complete.py"), sink], stdout=subprocess.PIPE, text=True, env=environment
        )
        sent: dict[tuple[int, int], float] = {}
        seen: list[tuple[float, dict[int, int]]] = []
        enough = threading.Event()

        def listen() -> None:
            assert worker.stdout is not None
            for told in map(json.loads, worker.stdout):
                if database is None and "stored" in told:
                    seen.append((told["at"], {told["partition"]: told["stored"]}))

        def look(asked: ClickHouseServer) -> None:
            query = (
                "SELECT source_partition, max(source_offset) FROM livepeer_analytics.streaming_events "
                f"WHERE source_topic = '{topic}' GROUP BY 1"
            )
            with asked.client() as client:
                while not enough.is_set():
                    rows = client.query(query).result_rows
                    seen.append((time.time(), dict(rows)))
                    time.sleep(0.05)

        watching = [threading.Thread(target=listen)]
        if database is not None:
            watching.append(threading.Thread(target=look, args=(database,)))
        for thread in watching:
            thread.start()
        producer = self.producer(5)
        began = time.time()
        warm_up = 10
        for number, value in enumerate(
            generate(pace * (seconds + warm_up), duplicates=0.0, bad=0.0, sessions=50, seed=2)
        ):
            at = time.time()

            def delivered(error: object, message: Any, at: float = at) -> None:
                sent[(message.partition(), message.offset())] = at

            line = value.rstrip(b"\n")
            producer.produce(topic, line, key=_key(line), on_delivery=delivered)
            producer.poll(0)
            ahead = number / pace - (time.time() - began)
            if ahead > 0:
                time.sleep(ahead)
        producer.flush(60)
        ends = dict(sorted(sent))
        deadline = time.time() + 60
        while time.time() < deadline and any(_stored(seen, p, end) is None for p, end in ends.items()):
            time.sleep(0.5)
        enough.set()
        worker.terminate()
        worker.wait()
        for thread in watching:
            thread.join()
        latencies = []
        for (partition, offset), at in sent.items():
            if at < began + warm_up:
                continue
            stored = _stored(seen, partition, offset)
            latencies.append(float("inf") if stored is None else stored - at)
        return sorted(latencies)

    def new_database(self) -> ClickHouseServer:
        database = ClickHouseServer()
        tables = (*Pipeline(BUILTIN_EVENT_TYPES).tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE)
        with database.client() as client:
            apply(client, "livepeer_analytics", tables)
        return database


def _stored(seen: Sequence[tuple[float, Mapping[int, int]]], partition: int, offset: int) -> float | None:
    """When that offset was first found stored, or None; ``seen`` has, in order, when which offsets were the highest."""
    return next((when for when, highest in seen if highest.get(partition, -1) >= offset), None)


def _key(line: bytes) -> bytes:
    """The event's id, so that equal events lie in one partition."""
    try:
        return str(orjson.loads(line).get("id") or "").encode()
    except (ValueError, AttributeError):
        return b""


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


def _best(name: str, runs: int, run: Callable[[], Run]) -> Run | None:
    found = []
    for number in range(runs):
        try:
            found.append(run())
        except RuntimeError as error:
            console.print(f"{name} does not run: {error}")
            return None
        rate, cpu = found[-1]["read"] / found[-1]["seconds"], found[-1]["cpu_seconds"] / found[-1]["read"] * 1e6
        console.print(f"{name}, round {number + 1}: {rate:,.0f} events/s, {cpu:.1f} µs of processors an event")
    return min(found, key=lambda each: each["seconds"] / each["read"])


def _jobs(bench: Bench, rounds: int, only: Collection[str]) -> None:
    def fresh() -> str:
        folder = bench.folder / uuid.uuid4().hex[:6]
        folder.mkdir()
        return str(folder)

    rows = {
        "(a) consume": _best("consume", rounds, lambda: bench.script("consume.py")),
        "(b) consume, decode, insert raw": _best("raw", rounds, lambda: bench.script("consume.py", fresh())),
        "(c) lpa ingest": _best("lpa ingest", rounds, lambda: bench.workers(1, None, "alone")),
    }
    if "facts" in only:
        rows["(c) with facts beside"] = _best("lpa ingest with facts", rounds, lambda: bench.workers(1, None))
    for name, (script, requirement) in (PEERS if "peers" in only else {}).items():
        rows[name] = _best(name, 1, lambda: bench.script(script, fresh(), requirement=requirement))  # noqa: B023
    floor = rows["(b) consume, decode, insert raw"]
    assert floor is not None
    table = Table("job", "events/s", "µs/event", "of (b)", "processor µs/event", "of (b)", "peak memory")
    for name, run in rows.items():
        if run is not None:
            each = run["seconds"] / run["read"]
            table.add_row(
                name,
                f"{1 / each:,.0f}",
                f"{each * 1e6:.1f}",
                f"{floor['seconds'] / floor['read'] / each:.2f}",
                f"{run['cpu_seconds'] / run['read'] * 1e6:.1f}",
                f"{floor['cpu_seconds'] / floor['read'] / run['cpu_seconds'] * run['read']:.2f}",
                f"{run['peak_kib'] / 1024:,.0f} MiB",
            )
    console.print(table)
    complete = rows["(c) lpa ingest"]
    if complete is not None:
        stages = Table("stage of lpa ingest", "µs/event")
        for name, seconds in sorted(complete["stages"].items(), key=lambda item: -item[1]):
            stages.add_row(name, f"{seconds / bench.events * 1e6:.2f}")
        console.print(stages)


def _workers(bench: Bench) -> None:
    table = Table("workers", "events/s", "of one", "records each", title="Over HTTP to one database")
    one = 0.0
    for count in (1, 2):
        database = bench.new_database()
        run = bench.workers(count, database)
        database.close()
        rate = run["read"] / run["seconds"]
        one = one or rate
        table.add_row(str(count), f"{rate:,.0f}", f"{rate / one:.2f}", ", ".join(f"{done:,}" for done in run["done"]))
    console.print(table)


def _latency(bench: Bench, pace: int) -> None:
    database = bench.new_database()
    of_a_server = bench.latency(database, pace, 30)
    database.close()
    for where, found in (("embedded", bench.latency(None, pace, 30)), ("over HTTP", of_a_server)):
        console.print(
            f"{pace:,} events/s, {where}, produce to queryable: median {statistics.median(found):.2f} s, "
            f"p99 {found[int(len(found) * 0.99)]:.2f} s, most {found[-1]:.2f} s ({len(found):,} events)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--pace", type=int, default=1000, help="events a second, for the latency")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    arguments = parser.parse_args()
    console.print(f"{arguments.events:,} events; {platform.machine()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.events)
        try:
            if {"jobs", "peers", "facts"} & {*arguments.only}:
                _jobs(bench, arguments.rounds, arguments.only)
            if "workers" in arguments.only:
                _workers(bench)
            if "latency" in arguments.only:
                _latency(bench, arguments.pace)
        finally:
            bench.kafka.close()


if __name__ == "__main__":
    main()
