"""Everything that is known of an id or position, gathered from a database, an archive, checkpoints and Kafka."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, final

import attrs

from lpa_core.records import Position
from lpa_core.settings.settings import Settings
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_ops.positions.input_topics import reads_kafka
from lpa_ops.trace.answer import Fate, Trace, TracedRecord
from lpa_ops.trace.archived import with_archive_files, with_header
from lpa_ops.trace.effects import with_effects
from lpa_ops.trace.lookup import LookedUp, look_up
from lpa_ops.trace.questions import Questions
from lpa_ops.trace.records import copies_and_origins, stored_records
from lpa_ops.trace.standing import NOT_ASKED, remark_of_checkpoints, remark_of_kafka, remark_of_tables
from lpa_ops.trace.subject import TraceSubject

MOST_RECORDS: Final = 1_000
"""Positions of an id that a trace looks at, at most."""
_HOPS: Final = 3
"""From a copy to its origin, to other copies of it: a replay of a replay names the first origin, too."""


@final
@attrs.frozen
class Surroundings:
    """What a trace asks beside the database.

    Attributes:
        sink: as the command was given it; None for the embedded database.
        archive: where the archive is; empty if none is known.
    """

    settings: Settings
    sink: str | None = None
    archive: str = ""

    @property
    def topics(self) -> Sequence[str]:
        """Input topics of Kafka; none if the events come from files."""
        return self.settings.quality.topics if reads_kafka(self.settings, self.sink) else ()


def trace(questions: Questions, subject: TraceSubject, surroundings: Surroundings, limit: int) -> Trace:
    """All that is known of the subject, of at most ``limit`` records and of the others that these lead to.

    Args:
        limit: at most :data:`MOST_RECORDS`.

    Raises SinkMisconfigured if the database has no tables, and what reading raises. What else cannot be asked is a line
    in the answer.
    """
    if not questions.has_events:
        raise SinkMisconfigured(f"{questions.database} has no streaming_events: `lpa schema apply` makes it")
    looked_up = LookedUp()
    records = _records(questions, [subject.position], surroundings) if subject.position else {}
    if subject.position is None or records[subject.position].fate is Fate.UNKNOWN:
        looked_up = look_up(questions, subject)
    shown = looked_up.positions[:limit]
    if shown:
        records = _records(questions, shown, surroundings)
    not_asked = looked_up.left_out
    if surroundings.archive:
        records, more = with_archive_files(surroundings.archive, records)
        not_asked += more
        if subject.position in records:
            with_its_header, more = with_header(surroundings.archive, records[subject.position])
            records[subject.position] = with_its_header
            not_asked += more
    else:
        not_asked.append("the archive: none is set: set LPA_ARCHIVE_DIR, or give `lpa trace` --archive")
    records = _with_remarks(questions, records, surroundings, not_asked)
    return Trace(
        asked=subject.id,
        records=sorted(records.values(), key=_order),
        more_records=len(looked_up.positions) - len(shown),
        sessions=looked_up.sessions,
        jobs=looked_up.jobs,
        not_asked=not_asked,
    )


def _records(
    questions: Questions, positions: Sequence[Position], surroundings: Surroundings
) -> dict[Position, TracedRecord]:
    found: dict[Position, TracedRecord] = {}
    lives = timedelta(minutes=surroundings.settings.quality.dedup_ttl_minutes)
    for _ in range(_HOPS):
        if not positions:
            break
        stored = stored_records(questions, positions, surroundings.topics, lives)
        found |= with_effects(questions, stored.records, stored.typed)
        positions = [each for each in copies_and_origins(questions, found) if each not in found]
    return found


def _with_remarks(
    questions: Questions,
    records: Mapping[Position, TracedRecord],
    surroundings: Surroundings,
    not_asked: list[str],
) -> dict[Position, TracedRecord]:
    found = dict(records)
    for position, record in records.items():
        if record.fate is Fate.UNKNOWN:
            remarks = [remark_of_tables(questions, position)]
            of_files = partial(remark_of_checkpoints, surroundings.settings, surroundings.sink, position)
            remarks += _asked("checkpoints", of_files, not_asked)
            if position.topic in surroundings.topics:
                of_kafka = partial(remark_of_kafka, surroundings.settings, position)
                remarks += _asked("Kafka", of_kafka, not_asked)
            found[position] = attrs.evolve(record, remark="; ".join(filter(None, remarks)))
    return found


def _asked(whom: str, ask: Callable[[], str], not_asked: list[str]) -> list[str]:
    try:
        return [ask()]
    except NOT_ASKED as error:
        line = f"{whom}: {error}"
        if line not in not_asked:
            not_asked.append(line)
        return []


def _order(record: TracedRecord) -> tuple[float, Position]:
    return record.range.batch_time.timestamp() if record.range else math.inf, record.position
