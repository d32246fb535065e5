"""``lpa topics`` on a broker."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from confluent_kafka.cimpl import NewTopic

from lpa_core.cli import run
from lpa_core.kafka.admin import admin_client
from lpa_core.settings.loading import load


@pytest.fixture
def names(kafka: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Topics that do not exist yet; the settings name them."""
    own = uuid4().hex[:8]
    names = [f"{role}.{own}" for role in ("input", "dlq", "quarantine", "touched")]
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", kafka)
    for variable, name in zip(("INPUT", "DLQ", "QUARANTINE", "TOUCHED"), names, strict=True):
        monkeypatch.setenv(f"QUALITY_{variable}_TOPIC", name)
    return names


def test_missing_topics_are_made_as_they_should_be_and_the_second_time_left_alone(
    names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["topics", "show", "--json"]) == 1
    assert [state["present"] for state in json.loads(capsys.readouterr().out)] == [False] * 4

    assert run(["topics", "apply", "--partitions", "3", "--json"]) == 0
    states = json.loads(capsys.readouterr().out)
    assert [(state["name"], state["created"], state["partitions"], state["differences"]) for state in states] == [
        (names[0], True, 3, []),
        (names[1], True, 1, []),
        (names[2], True, 1, []),
        (names[3], True, 3, []),
    ]

    assert run(["topics", "apply", "--partitions", "3", "--json"]) == 0
    assert [state["created"] for state in json.loads(capsys.readouterr().out)] == [False] * 4
    assert run(["topics", "show", "--partitions", "3"]) == 0


def test_settings_of_a_topic_that_exists_are_named_and_not_changed(
    names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    other = NewTopic(names[1], num_partitions=1, config={"retention.ms": "1000", "cleanup.policy": "compact"})
    admin = admin_client(load())
    (made,) = admin.create_topics([other]).values()
    made.result()
    for command, status in (("apply", 0), ("show", 1)):
        assert run(["topics", command, "--partitions", "2", "--json"]) == status
        _, dlq, *_ = json.loads(capsys.readouterr().out)
        assert not dlq["created"]
        assert {(each["setting"], each["wanted"], each["found"]) for each in dlq["differences"]} >= {
            ("retention.ms", "2592000000", "1000"),
            ("cleanup.policy", "delete", "compact"),
        }


def test_too_few_partitions_are_named(names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["topics", "apply", "--partitions", "2"]) == 0
    capsys.readouterr()
    assert run(["topics", "show", "--partitions", "4"]) == 1
    assert "partitions is 2, should be 4" in capsys.readouterr().out
