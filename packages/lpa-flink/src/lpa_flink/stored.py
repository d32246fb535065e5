"""What the tables hold of the topics, as the sink of the job says it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Final

from lpa_core.delivery.consumer_group import Partition
from lpa_core.jobs.assembly import build_pipeline, open_sinks
from lpa_core.plugins.context import AppContext
from lpa_core.sinks.sink import StoredOffsets, SupportsStoredOffsets
from lpa_flink.states import StoredUpTo

SINK: Final = "clickhouse://"
"""The address in the settings: the only sink of the job."""


def stored_from(context: AppContext, first: Mapping[Partition, int]) -> dict[Partition, StoredOffsets]:
    """For each partition with rows at or beyond the offset in ``first``: which. Raises what sinks raise."""
    by_topic: dict[str, dict[int, int]] = defaultdict(dict)
    for partition, offset in first.items():
        by_topic[partition.topic][partition.number] = offset
    with ExitStack() as opened:
        sink = context.plugins.sink(context.settings.clickhouse.url)
        open_sinks([sink], build_pipeline(context.plugins, context.settings), opened)
        if not isinstance(sink, SupportsStoredOffsets):
            return {}
        return {
            Partition(topic, number): offsets
            for topic, of_topic in by_topic.items()
            for number, offsets in sink.stored_from(topic, of_topic).items()
        }


def stored_beyond(context: AppContext, partitions: Iterable[StoredUpTo]) -> str:
    """Which rows came since, for a message; empty if none did."""
    since = stored_from(context, {Partition(each.topic, each.partition): each.stored for each in partitions})
    return ", ".join(f"{partition} has rows up to {since[partition].highest}" for partition in sorted(since))


def stored_short(context: AppContext, partitions: Iterable[StoredUpTo]) -> str:
    """Which rows are missing that were there, for a message; empty if none are."""
    last = {Partition(each.topic, each.partition): each.stored - 1 for each in partitions if each.stored}
    there = stored_from(context, last)
    return ", ".join(f"{partition} had rows up to {last[partition]}" for partition in sorted(last.keys() - there))
