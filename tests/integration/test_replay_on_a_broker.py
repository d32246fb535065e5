"""``lpa replay`` on real servers: from the topic of dead letters through the input topic into ClickHouse."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import attrs
import msgspec
import pytest
from services.job import Job, headers
from services.preloaded import preloaded_lpa
from services.processes import PATIENCE

from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE

pytestmark = pytest.mark.each_share

LPA = str(Path(sys.executable).with_name("lpa"))
KILLS = int(os.environ.get("LPA_REPLAY_KILLS", "4"))
RECORDS = 10_000
HOUR_MS = 3_600_000
FIX = """
[[fix]]
class = "SCHEMA_INVALID"
reason = "missing_field"
where = [{ path = "data.pipeline", missing = true }]
steps = [{ set = "data.pipeline", value = "live-video-to-video" }]
"""


def event(identity: str, timestamp: int, **data: object) -> bytes:
    """An event that lacks ``data.pipeline`` unless it is given."""
    own = {"type": "error", "stream_id": "s", "request_id": "r", "message": "m", "capability": "c", **data}
    event = {"id": identity, "type": "ai_stream_status", "timestamp": timestamp, "gateway": "g", "data": own}
    return msgspec.json.encode(event)


def now() -> int:
    return time.time_ns() // 1_000_000


@final
@attrs.frozen
class Replay:
    """The command, with the settings of a job."""

    job: Job

    @property
    def sink(self) -> str:
        return f"clickhouse://127.0.0.1:{self.job.clickhouse.port}"

    def start(self, *arguments: str, program: str | Path = LPA, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [program, "replay", *arguments, *(() if "--plan" in arguments else ("--sink", self.sink)), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **self.job.environment, **environment},
            cwd=self.job.folder,
        )

    def __call__(self, *arguments: str, status: int = 0, **environment: str) -> Any:
        process = self.start(*arguments, program=preloaded_lpa(), **environment)
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, err.decode()
        return json.loads(out) if out else err.decode()

    def verified(self, replay_id: str) -> dict[str, Any]:
        """The checks by name, once every record has arrived."""
        found: dict[str, Any] = {}

        def arrived() -> bool:
            process = self.start("verify", replay_id, program=preloaded_lpa())
            out, err = process.communicate(timeout=PATIENCE)
            assert process.returncode in (0, 1), err.decode()
            found.update(json.loads(out))
            return bool(found["checks"][0]["figures"]["missing"] == 0)

        self.job.until(arrived, f"replay {replay_id} has arrived")
        return {"passed": found["passed"], **{check["name"]: check for check in found["checks"]}}


@pytest.fixture
def replay(new_job: Callable[..., Job]) -> Replay:
    """Of a running job with two partitions."""
    job = new_job(partitions=2)
    job.start()
    (job.folder / "fix.toml").write_text(FIX)
    return Replay(job)


def dead_letters(job: Job, values: list[bytes], partition: int = 0) -> None:
    """Have the job reject these."""
    places = job.produce(values, partition)
    job.until_committed(places[-1][1] + 1, partition)


def test_a_canary_goes_first_and_the_rest_follows(replay: Replay) -> None:
    job, moment, count = replay.job, now(), 300
    dead_letters(job, [event(f"c-{number}", moment) for number in range(count)], partition=1)
    replay("plan", "--all", "--reason", "missing_field", "--fix", "fix.toml", "--output", "plan.json")
    first = replay("run", "--plan", "plan.json", "--canary", "10%", "--canary-only")
    of_canary = first["canary"]["figures"]["records"]
    assert 0 < of_canary < count / 4
    assert (first["canary"]["passed"], first["delivered"]) == (True, False)
    assert sum(job.stored().values()) == of_canary
    job.stop()
    job.start()
    whole = replay("run", "--plan", "plan.json")
    assert (whole["delivered"], whole["published"]) == (True, count)
    found = replay.verified(whole["id"])
    assert found["passed"], found
    assert sum(job.stored().values()) == count
    assert not job.stored(QUARANTINE_TABLE.name)


def test_the_whole_loop(replay: Replay) -> None:
    job, moment = replay.job, now()
    dead_letters(job, [event(f"e-{number}", moment) for number in range(RECORDS)], partition=1)
    assert job.stored(DLQ_TABLE.name).total() == RECORDS

    window = ("--start", str(moment), "--end", str(moment + 1), "--fix", "fix.toml")
    plan = replay("plan", *window, "--output", "plan.json")
    figures = replay("run", "--plan", "plan.json")
    assert (plan["selected"], plan["would_pass"], plan["already_stored"]) == (RECORDS, RECORDS, 0)
    assert plan["by_reason"] == {"missing_field": RECORDS}
    assert figures["published"] == RECORDS
    checks = replay.verified(figures["id"])
    assert checks["passed"], checks
    assert checks["every record in one place"]["figures"]["recovered"] == RECORDS
    assert job.stored("ai_stream_status").total() == RECORDS

    sent = [message for message in job.records(job.topic) if b'"__replay":true' in (message.value() or b"")]
    assert {message.partition() for message in sent} == {1}, "back to the partition that they came from"
    assert {message.key() for message in sent} == {f"e-{number}".encode() for number in range(RECORDS)}

    again = replay("run", *window)
    assert (again["selected"], again["published"], again["already_stored"]) == (RECORDS, 0, RECORDS)
    assert replay("run", "--plan", "plan.json")["already_delivered"]
    assert set(Counter(job.stored(RAW_TABLE.name)).values()) == {1}
    assert job.stored(RAW_TABLE.name).total() == RECORDS
    listed = replay("list")
    assert [each["state"] for each in listed] == ["verified", "delivered"]


def test_windows_to_the_millisecond_by_both_clocks_from_the_topic(replay: Replay) -> None:
    moment = now() - 10_000
    dead_letters(replay.job, [event(str(offset), moment + offset) for offset in range(-2, 3)])
    for start, end, count in ((-1, 1, 2), (0, 1, 1), (-2, 3, 5), (3, 9, 0)):
        plan = replay("plan", "--start", str(moment + start), "--end", str(moment + end), "--output", "plan.json")
        assert plan["selected"] == count
    with replay.job.clickhouse.client() as client:
        ((rejected,),) = client.query(
            "SELECT toUnixTimestamp64Milli(max(ingestion_timestamp)) FROM livepeer_analytics.streaming_events_dlq"
        ).result_rows
    for start, end, count in (
        (rejected, rejected + 1, 5),
        (rejected + 1, rejected + 2, 0),
        (rejected - 1, rejected, 0),
    ):
        window = ("--start", str(start), "--end", str(end), "--by", "ingestion", "--output", "plan.json")
        assert replay("plan", *window)["selected"] == count
        assert replay("plan", *window, "--from", "dlq-table")["selected"] == count


def test_what_fails_again_goes_round_three_times_and_then_to_quarantine(replay: Replay) -> None:
    job = replay.job
    dead_letters(job, [event("e", now())])
    for attempt in range(1, 4):
        figures = replay("run", "--all")
        assert figures["published"] == 1
        checks = replay.verified(figures["id"])
        assert checks["every record in one place"]["figures"]["failed_again"] == 1
        assert [headers(message)["attempt"] for message in job.records(job.dlq)][-1] == str(attempt)
    figures = replay("run", "--all")
    assert (figures["published"], figures["exhausted"], figures["skipped"]) == (0, 1, 3)
    (given_up,) = job.records(job.quarantine)
    assert headers(given_up)["class"] == "REPLAY_EXHAUSTED"
    assert job.stored(QUARANTINE_TABLE.name) == {(0, 0): 1}
    figures = replay("run", "--all")
    assert (figures["published"], figures["exhausted"]) == (0, 0), "it is given up once"
    assert replay.verified(figures["id"])["every record in one place"]["passed"]


def test_kills_while_sending_double_nothing(replay: Replay) -> None:
    job, moment, records = replay.job, now(), 20_000
    dead_letters(job, [event(f"e-{number}", moment) for number in range(records)])
    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)
    window = ("--start", str(moment), "--end", str(moment + 1), "--fix", "fix.toml", "--rate", "20000")
    replay(
        "plan", *window, "--output", "plan.json"
    )  # without one, a run killed when all is sent is followed by another
    started = time.monotonic()
    kills = 0
    while True:
        process = replay.start("run", "--plan", "plan.json")
        try:
            out, err = process.communicate(timeout=chance.uniform(1, 6) if kills < KILLS else 120)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, err.decode()
        break
    figures = json.loads(out)
    assert figures["published"] == records, f"seed {seed}"
    checks = replay.verified(figures["id"])
    assert checks["passed"], (seed, checks)
    assert [run["records_published"] for run in replay("list")] == [records], "one run, however often it was killed"
    sent = Counter(message.key() for message in job.records(job.topic) if message.key())
    assert sent.total() == records, f"seed {seed}, {kills} kills, {time.monotonic() - started:.0f} s"
    assert set(sent.values()) == {1}


def test_a_second_process_of_a_run_ends_the_first_and_goes_on_with_what_was_decided(replay: Replay) -> None:
    job = replay.job
    dead_letters(job, [event(f"e-{number}", now()) for number in range(150)])
    plan = replay("plan", "--all", "--fix", "fix.toml", "--rate", "5", "--output", "plan.json")
    first, second, third = ({"LPA_DATA_DIR": str(job.folder / name)} for name in ("first", "second", "third"))
    process = replay.start("run", "--plan", "plan.json", **first)
    job.until(lambda: len(job.records(job.topic)) > 150, "the first has sent some")

    successor = replay.start("run", "--plan", "plan.json", **second)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert f"another process took replay {plan['id']} over" in err.decode()
    before = len(job.records(job.topic))
    job.until(lambda: len(job.records(job.topic)) > before, "the second goes on: it decided the same")
    successor.send_signal(signal.SIGTERM)
    _, err = successor.communicate(timeout=PATIENCE)
    assert f"replay {plan['id']} was stopped; run the same again to go on" in err.decode()

    dead_letters(job, [event("e-149", now(), pipeline="p")])
    said = replay("run", "--plan", "plan.json", status=1, **third)
    assert f"replay {plan['id']} was started from another data folder" in said, "it decides otherwise by now"
    figures = replay("run", "--plan", "plan.json", **second)
    assert (figures["published"], figures["already_stored"]) == (149, 1)
    sent = [message for message in job.records(job.topic) if b'"__replay":true' in (message.value() or b"")]
    assert [message.key() for message in sent] == [f"e-{number}".encode() for number in range(149)]


def test_a_topic_that_is_not_there(replay: Replay) -> None:
    said = replay("plan", "--all", "--output", "plan.json", status=2, REPLAY_DLQ_TOPIC="none")
    assert "has no topic none: check REPLAY_DLQ_TOPIC" in said
    dead_letters(replay.job, [event("e", now())])
    said = replay("run", "--all", status=2, REPLAY_OUTPUT_TOPIC="none")
    assert "has no topic none: check REPLAY_OUTPUT_TOPIC" in said
