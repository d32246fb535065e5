"""What became of the records of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import attrs

from lpa_core.delivery.blocks import Settled
from lpa_core.events import create_new_payment, face_value
from lpa_core.events.times import DiscardedTime
from lpa_core.tables.table import Block

_FACE_VALUE: Final = create_new_payment.TABLE.column_names.index("face_value")


@final
@attrs.define(slots=True)
class Report:
    """Counts of one run. ``read`` is always the sum of accepted, dead-lettered, quarantined and ignored."""

    source: str
    read: int = 0
    accepted: int = 0
    quarantined: int = 0
    other_content: int = 0
    """Of the quarantined: events whose key is stored with other content; 0 if no sink can compare."""
    dead_lettered: Counter[tuple[str, str]] = attrs.field(factory=Counter[tuple[str, str]])
    """By (failure class, reason)."""
    ignored: Counter[str] = attrs.field(factory=Counter[str])
    """By the reason of the rule."""
    rows: Counter[str] = attrs.field(factory=Counter[str])
    """Written by table."""
    unfit: int = 0
    """Numbers replaced because no column could hold them."""
    discarded: Counter[str] = attrs.field(factory=Counter[str])
    """Times in the data of events that were not believed, by what they look like."""
    face_values_unparsed: int = 0
    """Payments whose face value is neither wei nor ETH."""
    seconds: float = 0.0
    stages: dict[str, float] = attrs.field(factory=dict[str, float])
    """Seconds spent in each step; reading and judging overlap with writing."""
    waiting: Mapping[str, int] | None = None
    """Records that each partition still had when the run ended; None for a file, which is read to its end."""
    unfinished: int = 0
    """Bytes of a file's last line that wait until the line has its end."""
    stopped: bool = False
    """Whether it ended before the end of its source, which a topic does not have."""
    given_up: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Partitions that need a person, and why."""

    def add(self, settled: Settled, written: Sequence[Block]) -> None:
        self.read += settled.records
        self.accepted += len(settled.events)
        self.unfit += sum(event.unfit for event in settled.events)
        for event in settled.events:
            if event.discarded:
                self.discarded.update(event.discarded)
        for reject in settled.rejects:
            if reject.failure.quarantined:
                self.quarantined += 1
            else:
                self.dead_lettered[(reject.failure.failure_class.value, reject.failure.reason.value)] += 1
        self.ignored.update(record.verdict.reason for record in settled.ignored)
        for block in written:
            self.rows[block.table.name] += len(block)
            if block.table is create_new_payment.TABLE:
                self.face_values_unparsed += face_value.unparsed(block.columns[_FACE_VALUE])

    def spend(self, stage: str, seconds: float) -> None:
        self.stages[stage] = self.stages.get(stage, 0.0) + seconds

    @property
    def summary(self) -> str:
        dead = sum(self.dead_lettered.values())
        return (
            f"this run stored {self.read:,}: {self.accepted:,} accepted, {dead:,} dead-lettered, "
            f"{self.quarantined:,} quarantined"
        )

    @property
    def events_per_second(self) -> float:
        return self.read / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "read": self.read,
            "accepted": self.accepted,
            "dead_lettered": sum(self.dead_lettered.values()),
            "dead_lettered_by_reason": [
                {"class": failure_class, "reason": reason, "records": count}
                for (failure_class, reason), count in sorted(self.dead_lettered.items())
            ],
            "quarantined": self.quarantined,
            "other_content": self.other_content,
            "ignored": sum(self.ignored.values()),
            "ignored_by_reason": dict(sorted(self.ignored.items())),
            "rows": dict(sorted(self.rows.items())),
            "values_out_of_range": self.unfit,
            "waiting": None if self.waiting is None else sum(self.waiting.values()),
            "unfinished_bytes": self.unfinished,
            "given_up": dict(self.given_up),
            "timestamps_discarded": {kind.value: self.discarded[kind] for kind in DiscardedTime},
            "face_values_unparsed": self.face_values_unparsed,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.events_per_second),
            "stages": {name: round(seconds, 6) for name, seconds in sorted(self.stages.items())},
        }
