"""Compares what is in the tables and topics with what has to be there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from clickhouse_connect.driver.client import Client
from confluent_kafka import Consumer, TopicPartition

from chaos.expectation import Expectation, Place
from lpa_core.events.registry import BUILTIN_EVENT_TYPES

_DATABASE = "livepeer_analytics"


def places(client: Client, table: str, topic: str) -> Counter[Place]:
    """How many rows a table has of each place."""
    found = client.query(
        f"SELECT source_partition, source_offset, count() FROM {_DATABASE}.{table} "
        "WHERE source_topic = {topic:String} GROUP BY 1, 2",
        parameters={"topic": topic},
    )
    return Counter({(partition, offset): rows for partition, offset, rows in found.result_rows})


def written_between(client: Client, topic: str) -> tuple[int, int]:
    """The first and the last ingestion time of the topic's events and rejects, epoch ms."""
    each = (
        f"SELECT min(ingestion_timestamp) AS a, max(ingestion_timestamp) AS b FROM {_DATABASE}.{table} "
        "WHERE source_topic = {topic:String} HAVING count() > 0"
        for table in ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")
    )
    ((first, last),) = client.query(
        f"SELECT toUnixTimestamp64Milli(min(a)), toUnixTimestamp64Milli(max(b)) FROM ({' UNION ALL '.join(each)})",
        parameters={"topic": topic},
    ).result_rows
    return first, last


def rejects(bootstrap: str, topic: str) -> Counter[Place]:
    """How many records a reject topic has of each source place, reading what is committed."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "verification",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    found: Counter[Place] = Counter()
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    ended = 0
    while ended < len(partitions):
        message = consumer.poll(30)
        assert message is not None, f"{topic} cannot be read to its end"
        if message.error():
            ended += 1
            continue
        source = dict(message.headers() or [])["source"].decode()
        _, partition, offset = source.rsplit(":", 2)
        found[(int(partition), int(offset))] += 1
    consumer.close()
    return found


def differences(
    expected: Expectation, client: Client, topic: str, bootstrap: str, dlq_topic: str, quarantine_topic: str
) -> Iterator[str]:
    """A line for everything that is not as it has to be."""
    raw = places(client, "streaming_events", topic)
    yield from _compare("streaming_events", Counter(dict.fromkeys(expected.events, 1)), raw)
    for table in {table.name for event_type in BUILTIN_EVENT_TYPES for table in event_type.tables}:
        wanted = Counter({place: rows for (name, place), rows in expected.typed.items() if name == table})
        yield from _compare(table, wanted, places(client, table, topic))
    for name, kafka_topic, wanted_places in (
        ("streaming_events_dlq", dlq_topic, expected.dead_letters),
        ("streaming_events_quarantine", quarantine_topic, expected.duplicates),
    ):
        wanted = Counter(dict.fromkeys(wanted_places, 1))
        yield from _compare(name, wanted, places(client, name, topic))
        yield from _compare(kafka_topic, wanted, rejects(bootstrap, kafka_topic))


def _compare(where: str, wanted: Counter[Place], found: Counter[Place]) -> Iterator[str]:
    for kind, difference in (("missing", wanted - found), ("too many", found - wanted)):
        if difference:
            some = sorted(difference.items())[:5]
            yield f"{where}: {sum(difference.values())} {kind} of {sum(wanted.values())}, such as {some}"
