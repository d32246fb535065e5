"""What has to become of records, whatever happens to those who deliver them: said by the pure pipeline alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import Position

Place = tuple[int, int]
"""Partition and offset."""


@attrs.define
class Expectation:
    """Events by place, rejects by place, and how many rows each typed table has for each place."""

    events: dict[Place, str] = attrs.field(factory=dict)
    """Place -> dedup key."""
    dead_letters: set[Place] = attrs.field(factory=set)
    duplicates: set[Place] = attrs.field(factory=set)
    typed: Counter[tuple[str, Place]] = attrs.field(factory=Counter)


def expected(topic: str, records: Iterable[tuple[int, int, bytes]]) -> Expectation:
    """What becomes of records, given as partition, offset and value; equal events are in one partition."""
    pipeline = Pipeline(BUILTIN_EVENT_TYPES)
    found = Expectation()
    first: set[str] = set()
    for partition, offset, value in sorted(records):
        verdict = pipeline.process(value, Position(topic, partition, offset))
        place = (partition, offset)
        if not isinstance(verdict, Accepted):
            found.dead_letters.add(place)
        elif verdict.dedup_key in first:
            found.duplicates.add(place)
        else:
            first.add(verdict.dedup_key)
            found.events[place] = verdict.dedup_key
            for table, _ in verdict.rows:
                found.typed[(table.name, place)] += 1
    return found
