"""Records of any bytes and times, as far as the broker lets them through."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from services.job import Job, event
from services.preloaded import preloaded_lpa

from lpa_core.tables.row_layout import DLQ_TABLE
from lpa_core.testing.raw_records import RawRecord, send
from lpa_sinks.archive import read_archive

LONE = b"caf\xe9"
ANY_TIME = str(2**63 - 1)


def allow_any_time(job: Job) -> None:
    names = ("message.timestamp.before.max.ms", "message.timestamp.after.max.ms")
    entries = [ConfigEntry(name, ANY_TIME, incremental_operation=AlterConfigOpType.SET) for name in names]
    resource = ConfigResource(ConfigResource.Type.TOPIC, job.topic, incremental_configs=entries)
    for changed in job.admin.incremental_alter_configs([resource]).values():
        changed.result(30)


def leader(job: Job) -> tuple[str, int]:
    found = job.admin.list_topics(job.topic, timeout=30)
    broker = found.brokers[found.topics[job.topic].partitions[0].leader]
    return broker.host, broker.port


def test_failure_26_what_the_broker_lets_through_is_delivered_archived_and_planned(
    new_job: Callable[..., Job], tmp_path: Path
) -> None:
    job, location = new_job(), str(tmp_path / "archive")
    allow_any_time(job)
    now = time.time_ns() // 1_000_000
    times = [now, 0, 1, now // 1000, now * 1000, now * 1_000_000, 2**63 - 1]
    records = [RawRecord(event(f"e-{n}"), moment) for n, moment in enumerate(times)]
    records += [
        RawRecord(event("headers"), now, b"\xff\x00", [(LONE, b"x"), (b"ok", None), (b"", b"")]),
        RawRecord(None, now, b"\xff\xfe"),
        RawRecord(None, 2**63 - 1, None, [(b"\xff", None)]),
        RawRecord(b"\xff\xfe", now * 1000, b""),
    ]
    send(*leader(job), job.topic, records)
    job.start("--archive", location)
    job.until_committed(len(records))
    assert job.stop() == 0
    assert job.stored() == Counter((0, offset) for offset in range(len(times) + 1))
    assert job.stored(DLQ_TABLE.name) == Counter((0, len(times) + number) for number in (1, 2, 3))
    found = sorted(read_archive(location, [job.topic]), key=lambda record: record.offset)
    names = [[name.encode(errors="surrogateescape") for name, _ in record.headers or ()] for record in found]
    assert [(r.value, r.timestamp, r.key) for r in found] == [(r.value, r.timestamp, r.key) for r in records]
    assert names == [[name for name, _ in record.headers] for record in records]
    assert [value for record in found for _, value in record.headers or ()] == [b"x", None, b"", None]
    for source in (["archive", "--archive", location], ["dlq-topic"], ["dlq-table"]):
        planned = subprocess.run(
            [preloaded_lpa(), "replay", "plan", "--all", "--from", *source, "--sink", job.sink, "--json"],
            cwd=tmp_path,
            env={**os.environ, **job.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert planned.returncode == 0, planned.stderr
        assert json.loads(planned.stdout)["read"] == (len(records) if source[0] == "archive" else 3)
