"""``lpa generate --to kafka``: load for a broker, and events as of now until it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from services.preloaded import preloaded_lpa
from services.processes import PATIENCE
from services.security import Acl, SecuredKafka

from lpa_core.cli import run
from lpa_core.generate import generate
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.permissions import PERMISSIONS
from lpa_core.kafka.topics import apply, wanted_topics
from lpa_core.settings.loading import load


@pytest.fixture
def topics(kafka: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Two input topics of the test's own, as the settings of this process name them."""
    return made_topics(kafka, monkeypatch, tmp_path)


def made_topics(bootstrap: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    name = uuid4().hex[:8]
    names = [f"in-{name}-a", f"in-{name}-b"]
    environment = {
        "QUALITY_KAFKA_BOOTSTRAP": bootstrap,
        "QUALITY_INPUT_TOPICS": ",".join(names),
        "QUALITY_DLQ_TOPIC": f"dlq-{name}",
        "QUALITY_QUARANTINE_TOPIC": f"quarantine-{name}",
        "QUALITY_TOUCHED_TOPIC": f"touched-{name}",
    }
    for setting, value in environment.items():
        monkeypatch.setenv(setting, value)
    monkeypatch.chdir(folder)
    settings = load(os.environ)
    apply(admin_client(settings), wanted_topics(settings, 2), settings)
    return names


def values(bootstrap: str, topic: str) -> list[bytes]:
    """What the topic holds, partition by partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "look", "log_level": 0})
    try:
        found: list[bytes] = []
        for partition in consumer.list_topics(topic, PATIENCE).topics[topic].partitions:
            place = TopicPartition(topic, partition, 0)
            _, end = consumer.get_watermark_offsets(place, PATIENCE)
            consumer.assign([place])
            while end and (message := consumer.poll(PATIENCE)) is not None:
                found.append(message.value() or b"")
                if message.offset() == end - 1:
                    break
        return found
    finally:
        consumer.close()


def expected(events: int, seed: int) -> Sequence[bytes]:
    return sorted(generate(events, duplicates=0.02, bad=0.01, sessions=100, seed=seed))


def test_each_input_topic_gets_streams_of_its_own(
    kafka: str, topics: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", "--events", "501", "--seed", "4", "--to", "kafka"]) == 0
    assert sorted(values(kafka, topics[0])) == expected(251, 4)
    assert sorted(values(kafka, topics[1])) == expected(250, 5)
    assert f"251 to {topics[0]}, 250 to {topics[1]}." in " ".join(capsys.readouterr().out.split())


def test_events_as_of_now_until_ctrl_c_are_all_in_the_topics(kafka: str, topics: list[str], tmp_path: Path) -> None:
    began = time.time() * 1000
    process = subprocess.Popen(
        [preloaded_lpa(), "generate", "--rate", "50", "--bad", "0", "--duplicates", "0", "--to", "kafka"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    while len(values(kafka, topics[0])) < 60:
        assert process.poll() is None
        assert time.time() * 1000 < began + 1000 * PATIENCE
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, problems = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    found = [values(kafka, topic) for topic in topics]
    assert "".join(out.split()) == f"Sentevents:{len(found[0])}to{topics[0]},{len(found[1])}to{topics[1]}."
    assert problems.strip() == "lpa: stopped; run the same command again to go on"
    times = [int(json.loads(value)["timestamp"]) for each in found for value in each]
    assert all(began - 2000 < each < time.time() * 1000 for each in times)


def test_a_topic_that_is_missing_and_a_broker_that_is_away_are_one_line(
    topics: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUALITY_INPUT_TOPICS", f"{topics[0]},nowhere")
    assert run(["generate", "--events", "10", "--to", "kafka"]) == 2
    missing = capsys.readouterr().err
    assert "has no topic nowhere: `lpa topics apply` makes what is missing" in missing
    assert missing.count("\n") == 1
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert run(["generate", "--events", "10", "--to", "kafka"]) == 1
    away = capsys.readouterr().err
    assert "127.0.0.1:1 does not answer" in away
    assert away.count("\n") == 1


@pytest.mark.parametrize("operation", ["WRITE", "DESCRIBE"])
def test_failure_15_generate_needs_the_documented_acls(
    secured_kafka: SecuredKafka,
    operation: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    names = made_topics(secured_kafka.cluster.bootstrap, monkeypatch, tmp_path)
    for setting, value in secured_kafka.login.items():
        monkeypatch.setenv(setting, value)
    needed = {each.operation for each in PERMISSIONS["lpa generate"]}
    try:
        secured_kafka.allow([Acl("TOPIC", name, operation, False) for name in names])
        status = run(["generate", "--events", "10", "--to", "kafka"])
    finally:
        secured_kafka.forbid_everything()
    assert status == (0 if {operation} == needed else 2)
    assert ("WRITE on the topic" in capsys.readouterr().err) is (status != 0)
