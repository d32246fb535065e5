"""How long an event takes from being produced until a query finds it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from events_topic import key_of
from jobs import JOBS, Jobs
from services.clickhouse import ClickHouseServer

from lpa_core.generate import generate


def latency(jobs: Jobs, database: ClickHouseServer | None, pace: int, seconds: int) -> list[float]:
    """Seconds from producing to being queryable, for each event of an even stream.

    Without a database the worker has one embedded, and says itself what is stored: nobody else can look into it.
    """
    topic = jobs.topic.new_topic("even")
    folder = jobs.folder / f"latency-{uuid.uuid4().hex[:6]}"
    folder.mkdir()
    sink = f"chdb://{folder}/database" if database is None else f"clickhouse://127.0.0.1:{database.port}"
    environment = jobs.settings(folder, topic, uuid.uuid4().hex, database)
    jobs.make_topics(environment)
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
                seen.append((time.time(), {int(partition): int(offset) for partition, offset in rows}))
                time.sleep(0.05)

    watching = [threading.Thread(target=listen)]
    if database is not None:
        watching.append(threading.Thread(target=look, args=(database,)))
    for thread in watching:
        thread.start()
    producer = jobs.topic.producer(5)
    began = time.time()
    warm_up = 10
    for number, value in enumerate(generate(pace * (seconds + warm_up), duplicates=0.0, bad=0.0, sessions=50, seed=2)):
        at = time.time()

        def delivered(error: object, message: Any, at: float = at) -> None:
            sent[(message.partition(), message.offset())] = at

        line = value.rstrip(b"\n")
        producer.produce(topic, line, key=key_of(line), on_delivery=delivered)
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


def _stored(seen: Sequence[tuple[float, Mapping[int, int]]], partition: int, offset: int) -> float | None:
    """When that offset was first found stored, or None; ``seen`` has, in order, when which offsets were the highest."""
    return next((when for when, highest in seen if highest.get(partition, -1) >= offset), None)
