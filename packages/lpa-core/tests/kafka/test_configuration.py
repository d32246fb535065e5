"""The configuration of Kafka's clients, and what they log."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from structlog.testing import capture_logs

from lpa_core.cli import run
from lpa_core.delivery.consumer_group import BrokerError, BrokerUnavailable
from lpa_core.kafka.admin import admin_client, explained
from lpa_core.kafka.client_log import QUIET_SECONDS, ClientLog
from lpa_core.kafka.configuration import admin_configuration, consumer_configuration, producer_configuration
from lpa_core.settings.quality import QualitySettings
from lpa_core.settings.settings import Settings

NOWHERE = QualitySettings(kafka_bootstrap="127.0.0.1:1", group_id="readers")


def configurations(settings: Settings) -> list[dict[str, Any]]:
    return [
        consumer_configuration(settings),
        producer_configuration(settings, "readers-0"),
        admin_configuration(settings),
    ]


def test_the_client_library_takes_them() -> None:
    settings = Settings(quality=NOWHERE, kafka={"socket.timeout.ms": "9000"})
    Consumer(consumer_configuration(settings)).close()
    Producer(producer_configuration(settings, "readers-0"))
    admin_client(settings)


def test_the_consumer_leaves_offsets_to_the_delivery() -> None:
    configuration = consumer_configuration(Settings(quality=NOWHERE))
    assert configuration["group.id"] == "readers"
    assert configuration["bootstrap.servers"] == "127.0.0.1:1"
    assert configuration["enable.auto.commit"] is False
    assert configuration["enable.auto.offset.store"] is False
    assert configuration["isolation.level"] == "read_committed"
    assert configuration["auto.offset.reset"] == "error"
    assert "group.instance.id" not in configuration


def test_a_named_member_is_a_static_one() -> None:
    settings = Settings(quality=QualitySettings(group_instance_id="worker-1"))
    assert consumer_configuration(settings)["group.instance.id"] == "worker-1"


def test_what_the_user_sets_reaches_every_client_and_wins_over_a_default() -> None:
    settings = Settings(kafka={"sasl.username": "me", "client.id": "mine", "queued.max.messages.kbytes": "1000"})
    for configuration in configurations(settings):
        assert configuration["sasl.username"] == "me"
        assert configuration["client.id"] == "mine"
    assert consumer_configuration(settings)["queued.max.messages.kbytes"] == "1000"


def test_failure_16_new_partitions_are_looked_for_every_few_seconds() -> None:
    interval = "topic.metadata.refresh.interval.ms"
    assert consumer_configuration(Settings())[interval] <= 5_000
    assert consumer_configuration(Settings(kafka={interval: "60000"}))[interval] == "60000"


@pytest.mark.parametrize("kafka", [{"no.such.property": "1"}, {"security.protocol": "xml"}])
def test_a_property_that_librdkafka_does_not_take_is_an_error_in_one_line(kafka: dict[str, str]) -> None:
    with pytest.raises(BrokerError, match=f"{re.escape(next(iter(kafka)))}.*see \\[kafka\\] in lpa.toml"):
        admin_client(Settings(quality=NOWHERE, kafka=kafka))


def test_brokers_that_cannot_be_reached_are_named() -> None:
    settings = Settings(quality=NOWHERE)
    with (
        pytest.raises(BrokerUnavailable, match=r"Kafka at 127\.0\.0\.1:1 does not answer"),
        explained("list topics", settings),
    ):
        admin_client(settings).list_topics(timeout=0.5)


@pytest.mark.parametrize(
    ("code", "raised", "said"),
    [
        (
            KafkaError.CLUSTER_AUTHORIZATION_FAILED,
            BrokerError,
            "not permitted to create the topic t (because): let somebody",
        ),
        (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            BrokerError,
            "not permitted to create the topic t (because): this login",
        ),
        (KafkaError._AUTHENTICATION, BrokerError, "the login was refused: check sasl.username and sasl.password"),
        (KafkaError.INVALID_PARTITIONS, BrokerError, "cannot create the topic t: because"),
        (KafkaError._TIMED_OUT, BrokerUnavailable, "does not answer"),
        (
            KafkaError.UNSTABLE_OFFSET_COMMIT,
            BrokerUnavailable,
            "cannot create the topic t now (because): a transaction",
        ),
    ],
)
def test_what_brokers_refuse_is_told_with_what_to_do(code: int, raised: type[Exception], said: str) -> None:
    with pytest.raises(raised) as caught, explained("create the topic t", Settings(quality=NOWHERE)):
        raise KafkaException(KafkaError(code, "because"))
    assert said in str(caught.value)
    assert str(caught.value).startswith("Kafka at 127.0.0.1:1")


def test_a_client_that_cannot_connect_says_so_once_a_minute() -> None:
    now = 0.0
    log = ClientLog(lambda: now)
    refused = KafkaError(KafkaError._TRANSPORT, "Connection refused")
    with capture_logs() as lines:
        log.error(refused)
        log.log(40, "%s [%s] %s", "FAIL", "rdkafka#consumer-1", "Connection refused")
        now = QUIET_SECONDS - 1
        log.error(refused)
        log.error(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
        now = QUIET_SECONDS
        log.error(refused)
    assert [(line["error"], line["log_level"]) for line in lines] == [
        ("_TRANSPORT", "warning"),
        ("_ALL_BROKERS_DOWN", "warning"),
        ("_TRANSPORT", "warning"),
    ]


def test_the_librarys_own_lines_go_through_our_log(capfd: pytest.CaptureFixture[str]) -> None:
    consumer = Consumer(consumer_configuration(Settings(quality=NOWHERE, kafka={"linger.ms": "3", "debug": "conf"})))
    with capture_logs() as lines:
        consumer.poll(0.1)
    consumer.close()
    said = [line["said"] for line in lines if line["event"] == "kafka client"]
    assert any("group.id" in text for text in said)
    assert not any("is a producer property" in text for text in said), "one table of properties serves both clients"
    assert capfd.readouterr() == ("", "")


def test_a_missing_client_library_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    assert run(["topics", "show"]) == 2
    assert capsys.readouterr() == ("", "lpa: Kafka's client is not installed: pip install 'lpa-core[kafka]'\n")
    structlog.reset_defaults()


def test_a_client_that_begins_elsewhere_does_not_read_as_if_the_group_had_been_reset() -> None:
    """librdkafka's own line, from a cluster that it plays itself."""
    cluster = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    (broker,) = cluster.list_topics(timeout=10).brokers.values()
    cluster.produce("t", b"value")
    cluster.flush(10)
    address = f"{broker.host}:{broker.port}"
    log = ClientLog()
    reader = Consumer({"bootstrap.servers": address, "group.id": "g", "auto.offset.reset": "earliest", "logger": log})
    reader.assign([TopicPartition("t", 0, 100)])
    with capture_logs() as logged:
        lines: list[Any] = []
        for _ in range(100):
            reader.poll(0.1)
            lines = [each for each in logged if "offset reset" in each["said"]]
            if lines:
                break
    reader.close()
    assert lines[0]["note"] == (
        "this is about where this client reads from: the offsets that the group has committed are unchanged"
    )
