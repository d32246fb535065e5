"""Replays against `lpa ingest`, on the same events, in one run.

Four ways in: the archive, a file of records, and with a fix the table of dead letters and their topic on a broker. Each
into an empty embedded database, each command a process of its own; the best of several rounds counts. Then the planning
of as many envelopes in the table as are wanted, and their replay: rate and memory.

    ./dev bench replay [--events N] [--rounds N] [--plan N]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from services.kafka import KafkaCluster

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.reject_records import reject_record
from lpa_core.kafka.topics import apply as apply_topics
from lpa_core.kafka.topics import wanted_topics
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected, envelope
from lpa_core.records import Position
from lpa_core.settings.loading import load

RUN = """
import json, resource, sys, time
from lpa_core.cli import run
started = time.perf_counter()
status = run(sys.argv[1:])
print(json.dumps({"seconds": time.perf_counter() - started,
                  "cpu": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
                  "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}), file=sys.stderr)
sys.exit(status)
"""
FIX = """
[[fix]]
reason = "missing_field"
where = [{ path = "data.pipeline", missing = true }]
steps = [{ set = "data.pipeline", value = "live-video-to-video" }]
"""
BROKEN = (
    '{{"id":"e-{n}","type":"ai_stream_events","timestamp":{moment},"version":"1","gateway":"gateway","data":{{"type":"error",'
    '"stream_id":"stream-{n}","request_id":"request-{n}","message":"{text}","capability":"35"}}}}\n'
)
START = 1_767_873_600_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=2, help="0: only the planning")
    parser.add_argument("--plan", type=int, default=1_000_000, help="envelopes to plan for; 0: leave that out")
    arguments = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = {}
    if arguments.rounds:
        kafka = KafkaCluster()
        for _ in range(arguments.rounds):
            with tempfile.TemporaryDirectory() as folder:
                for name, figures in _round(Path(folder), arguments.events, kafka.bootstrap):
                    results.setdefault(name, []).append(figures)
        kafka.close()
        _show(results, arguments.events)
    if arguments.plan:
        with tempfile.TemporaryDirectory() as folder:
            _plan(Path(folder), arguments.plan)


def _round(folder: Path, events: int, bootstrap: str) -> Iterator[tuple[str, dict[str, Any]]]:
    options = ["--events", str(events), "--duplicates", "0.02", "--bad", "0.01", "--seed", "1"]
    _lpa(folder, "unused", "generate", *options, "--output", "events.ndjson", json_=False)
    yield "lpa ingest", _lpa(folder, "zeroth", "ingest", "events.ndjson")
    shutil.rmtree(folder / "zeroth")
    _lpa(folder, "first", "ingest", "events.ndjson", "--archive", "archive")
    replay = ("replay", "run", "--all")
    yield "from archive", _lpa(folder, "second", *replay, "--from", "archive", "--archive", "archive")
    shutil.rmtree(folder / "second")
    yield "from a file", _lpa(folder, "third", *replay, "--from", "events.ndjson")
    shutil.rmtree(folder / "third")
    _write_broken(folder / "broken.ndjson", events)
    (folder / "fix.toml").write_text(FIX)
    _lpa(folder, "fourth", "ingest", "broken.ndjson")
    yield "from dlq-table, fixed", _lpa(folder, "fourth", *replay, "--fix", "fix.toml")
    topics = _fill_topic(folder / "broken.ndjson", bootstrap)
    local = ("--from", "dlq-topic", "--to", "local", "--fix", "fix.toml")
    yield "from dlq-topic, fixed", _lpa(folder, "sixth", *replay, *local, **topics)
    mended = folder / "mended.ndjson"
    mended.write_text(
        (folder / "broken.ndjson").read_text().replace('"type":"error",', '"type":"error","pipeline":"p",')
    )
    yield "lpa ingest of the same, mended", _lpa(folder, "fifth", "ingest", "mended.ndjson")


def _plan(folder: Path, envelopes: int) -> None:
    _write_broken(folder / "broken.ndjson", envelopes)
    (folder / "fix.toml").write_text(FIX)
    _lpa(folder, "data", "ingest", "broken.ndjson")
    figures = _lpa(folder, "data", "replay", "plan", "--all", "--fix", "fix.toml", "--output", "plan.json")
    print(
        f"planning {envelopes:,} envelopes in the table: {envelopes / figures['seconds']:,.0f} a second, "
        f"{figures['peak_kib'] / 1024:,.0f} MiB"
    )
    figures = _lpa(folder, "data", "replay", "run", "--plan", "plan.json")
    print(f"replaying them: {envelopes / figures['seconds']:,.0f} a second, {figures['peak_kib'] / 1024:,.0f} MiB")


def _fill_topic(file: Path, bootstrap: str) -> dict[str, str]:
    """Put the dead letters that the file's lines become into a topic; answer the settings that name it."""
    own = uuid.uuid4().hex[:6]
    topics = {f"QUALITY_{name}_TOPIC": f"{name}-{own}" for name in ("INPUT", "DLQ", "QUARANTINE", "TOUCHED")}
    topics["QUALITY_KAFKA_BOOTSTRAP"] = bootstrap
    settings = load(topics)
    apply_topics(admin_client(settings), wanted_topics(settings, 12), settings)
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 50, "log_level": 0})
    pipeline = Pipeline(BUILTIN_EVENT_TYPES)
    with file.open("rb") as lines:
        for number, line in enumerate(lines):
            now = time.time_ns() // 1_000_000
            verdict = pipeline.process(line, Position(settings.quality.input_topic, 0, number), now)
            assert isinstance(verdict, Rejected)
            record = reject_record(envelope(verdict, now, now, 1 << 20))
            while True:
                try:
                    producer.produce(settings.quality.dlq_topic, record.value, record.key, headers=list(record.headers))
                    break
                except BufferError:
                    producer.poll(0.1)
    producer.flush(300)
    return topics


def _write_broken(file: Path, events: int) -> None:
    text = "connection to the orchestrator was reset while a segment was being processed " * 4
    with file.open("w") as lines:
        lines.writelines(BROKEN.format(n=number, moment=START + number, text=text) for number in range(events))


def _lpa(folder: Path, data: str, *arguments: str, json_: bool = True, **settings: str) -> dict[str, Any]:
    command = [sys.executable, "-c", RUN, *arguments, *(("--json",) if json_ else ())]
    environment = {**os.environ, "LPA_DATA_DIR": str(folder / data), "LPA_LOG_LEVEL": "error", **settings}
    with _told(arguments):
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
    figures: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return figures


@contextmanager
def _told(arguments: tuple[str, ...]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"{time.perf_counter() - started:7.1f} s  lpa {' '.join(arguments)}", file=sys.stderr)


def _show(results: dict[str, list[dict[str, Any]]], events: int) -> None:
    best = {name: min(runs, key=lambda run: run["seconds"]) for name, runs in results.items()}
    table = Table("job", "events/s", "CPU µs/event", "of lpa ingest", "peak memory")
    for name, run in best.items():
        against = best["lpa ingest of the same, mended" if "dlq" in name else "lpa ingest"]
        table.add_row(
            name,
            f"{events / run['seconds']:,.0f}",
            f"{run['cpu'] / events * 1e6:.1f}",
            f"{against['seconds'] / run['seconds']:.2f}",
            f"{run['peak_kib'] / 1024:,.0f} MiB",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
