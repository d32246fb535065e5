"""Positions that no table has: how far their file or partition is read."""

from __future__ import annotations

from typing import Final

from lpa_core.delivery.checkpoint import CheckpointError
from lpa_core.delivery.consumer_group import BrokerError, BrokerUnavailable, Partition
from lpa_core.kafka.admin import admin_client, explained
from lpa_core.kafka.committed_offsets import committed
from lpa_core.records import Position
from lpa_core.settings.settings import Settings
from lpa_ops.positions.checkpoints import checkpoints, sink_name
from lpa_ops.positions.input_topics import list_offsets
from lpa_ops.trace.questions import Questions

_SECONDS: Final = 3.0
"""How long a trace waits for a broker that may be away."""


def remark_of_tables(questions: Questions, position: Position) -> str:
    """Where the position lies beside what the tables have of its partition. Raises the client's errors."""
    where = {"topic": position.topic, "partition": position.partition}
    ((count, first, behind),) = (row.values() for row in questions.ask("stored_span.sql", where))
    if not count:
        return "no table has a record of this partition"
    span = f"the tables have offsets {first} to {behind - 1} of this partition"
    if position.offset < first:
        return f"{span}: it lies before them, retention may have taken it"
    return span if position.offset >= behind else f"{span}, and not this one: `lpa health` checks conservation"


def remark_of_checkpoints(settings: Settings, sink: str | None, position: Position) -> str:
    """How far the file is read that has this name; empty if none has. Raises CheckpointError."""
    found = checkpoints(settings, sink_name(sink, settings)).values()
    for each in found:
        if (each.topic, each.partition) == (position.topic, position.partition):
            read = "read already" if position.offset < each.progress.offset else "not read yet"
            return f"its checkpoint is at line {each.progress.offset}: {read}"
    return ""


def remark_of_kafka(settings: Settings, position: Position) -> str:
    """How far the group has read the partition, and where it ends. Raises BrokerError, BrokerUnavailable."""
    admin = admin_client(settings)
    partition = Partition(position.topic, position.partition)
    with explained(f"describe the topic {position.topic}", settings):
        topic = admin.list_topics(position.topic, timeout=_SECONDS).topics[position.topic]
    if position.partition not in topic.partitions:
        return "Kafka has no such partition"
    low = list_offsets(admin, settings, [partition], "earliest")[partition]
    high = list_offsets(admin, settings, [partition], "latest")[partition]
    commits = committed(admin, settings)
    if position.offset >= high:
        return f"Kafka's partition ends at {high}: no such record was sent yet"
    if position.offset < low:
        return f"Kafka's partition begins at {low}: its retention took the record"
    done = commits[partition].offset if partition in commits else low
    read = "finished already" if position.offset < done else "not finished yet"
    return f"the group {settings.quality.group_id} has committed {done}: {read}"


NOT_ASKED: Final = (BrokerError, BrokerUnavailable, CheckpointError)
"""What a trace can go on without."""
