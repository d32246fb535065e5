"""A span for each range: from its first step until it is finished."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Final, final

import attrs
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, Tracer

from lpa_core.delivery.blocks import Settled
from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.observer import Observer, Step
from lpa_core.delivery.ranges import Range
from lpa_core.pipeline.traceparent import TRACEPARENT
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE
from lpa_core.tables.table import Block

_OF_REJECTS: Final = (DLQ_TABLE, QUARANTINE_TABLE)
_MOST_LINKS: Final = 32
"""To traces of producers, in one span."""


@final
@attrs.define
class _Begun:
    """What is known of a range in work. Times are epoch ns."""

    start_ns: int
    steps: list[tuple[str, int]] = attrs.field(factory=list)
    repeated: bool = False


@final
class RangeSpans(Observer):
    """Makes a span of what a worker reports about a range: a few calls a range, none a record.

    Attributes follow the semantic conventions of messaging (OpenTelemetry 1.30) where they have a name. Links lead to
    the traces of producers whose records were rejected: their ``traceparent`` is kept.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._lock = threading.Lock()
        self._begun: dict[tuple[str, int, int], _Begun] = {}

    def step(self, step: Step, range_: Range) -> None:
        if step is Step.FINISHED:
            return  # it comes after ``finished``, which has what a span tells
        now = time.time_ns()
        with self._lock:
            self._known(range_, now).steps.append((step.value, now))

    def repeated(self, range_: Range) -> None:
        with self._lock:
            self._known(range_, time.time_ns()).repeated = True

    def rebalanced(self, partitions: Sequence[Partition]) -> None:
        held = {(each.topic, each.number) for each in partitions}
        with self._lock:
            self._begun = {key: begun for key, begun in self._begun.items() if key[:2] in held}

    def finished(self, settled: Settled, blocks: Sequence[Block], range_: Range) -> None:
        now = time.time_ns()
        with self._lock:
            begun = self._begun.pop(_key(range_), None) or _Begun(now)
        span = self._tracer.start_span(
            f"deliver {range_.topic}",
            kind=SpanKind.CONSUMER,
            start_time=begun.start_ns,
            links=[*_links(blocks)],
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": range_.topic,
                "messaging.destination.partition.id": str(range_.partition),
                "messaging.batch.message_count": settled.records,
                "lpa.offset.start": range_.start,
                "lpa.offset.end": range_.end,
                "lpa.accepted": len(settled.events),
                "lpa.rejected": len(settled.rejects),
                "lpa.ignored": len(settled.ignored),
                "lpa.blocks": len(blocks),
                "lpa.repeated": begun.repeated,
            },
        )
        for step, at_ns in begun.steps:
            span.add_event(step, timestamp=at_ns)
        span.end(end_time=now)

    def _known(self, range_: Range, now: int) -> _Begun:
        """To be called with the lock."""
        return self._begun.setdefault(_key(range_), _Begun(now))


def _key(range_: Range) -> tuple[str, int, int]:
    return (range_.topic, range_.partition, range_.start)


def _links(blocks: Sequence[Block]) -> Iterator[Link]:
    """To the spans that the ``traceparent`` of rejects names, each once."""
    found = dict.fromkeys(
        text
        for block in blocks
        if block.table in _OF_REJECTS
        for text in block.columns[[column.name for column in block.table.columns].index(TRACEPARENT)]
        if text
    )
    for text in list(found)[:_MOST_LINKS]:
        _, trace, span, flags, *_ = text.split("-")
        context = SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
        yield Link(context)
