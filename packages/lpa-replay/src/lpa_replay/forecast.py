"""The figures of a run: what its outcomes come to."""

from __future__ import annotations

from collections import Counter
from typing import Any, final

import attrs

from lpa_core.records import Position
from lpa_replay.outcomes import ALREADY_STORED, PASSES, Decision, Outcome
from lpa_replay.window import shown

_HOUR_MS = 3_600_000


@final
@attrs.define
class Forecast:
    """Counts over the outcomes of a run.

    Attributes:
        by_class, by_reason, by_type, by_hour: of all selected records; hours are epoch ms.
        would_fail: of the published ones, by the reason why they would be rejected again.
        why: of all others, by decision and reason.
        older_than_ttl: records that the dedup store has forgotten, if it ever knew them.
        first, last: positions of published records, lowest and highest.
    """

    now: int
    ttl_ms: int
    read: int = 0
    untimed: int = 0
    decisions: Counter[Decision] = attrs.field(factory=Counter[Decision])
    by_class: Counter[str] = attrs.field(factory=Counter[str])
    by_reason: Counter[str] = attrs.field(factory=Counter[str])
    by_type: Counter[str] = attrs.field(factory=Counter[str])
    by_hour: Counter[int | None] = attrs.field(factory=Counter[int | None])
    would_fail: Counter[str] = attrs.field(factory=Counter[str])
    why: Counter[tuple[Decision, str]] = attrs.field(factory=Counter[tuple[Decision, str]])
    older_than_ttl: int = 0
    typed_rows: int = 0
    first: Position | None = None
    last: Position | None = None

    def add(self, outcome: Outcome) -> None:
        self.decisions[outcome.decision] += 1
        self.by_class[outcome.failure_class] += 1
        self.by_reason[outcome.failure_reason] += 1
        self.by_type[outcome.event_type] += 1
        moment = outcome.record_ms if outcome.event_ms is None else outcome.event_ms
        self.by_hour[None if moment is None else moment // _HOUR_MS * _HOUR_MS] += 1
        known = outcome.event_ms if outcome.record_ms is None else outcome.record_ms
        self.older_than_ttl += known is not None and self.now - known > self.ttl_ms
        if outcome.decision is not Decision.PUBLISHED:
            self.why[outcome.decision, outcome.why] += 1
            return
        if outcome.forecast != PASSES:
            self.would_fail[outcome.forecast] += 1
        self.typed_rows += outcome.typed_rows
        # As tuples: positions take several times as long to compare.
        place = _place(outcome.origin)
        if self.first is None or place < _place(self.first):
            self.first = outcome.origin
        if self.last is None or place > _place(self.last):
            self.last = outcome.origin

    @property
    def selected(self) -> int:
        return self.decisions.total()

    @property
    def published(self) -> int:
        return self.decisions[Decision.PUBLISHED]

    @property
    def would_pass(self) -> int:
        return self.published - self.would_fail.total()

    @property
    def already_stored(self) -> int:
        return self.why[Decision.SKIPPED, ALREADY_STORED]

    def as_json(self) -> dict[str, Any]:
        hours = sorted((hour, count) for hour, count in self.by_hour.items() if hour is not None)
        return {
            "read": self.read,
            "untimed": self.untimed,
            "selected": self.selected,
            **{decision.value: self.decisions[decision] for decision in Decision},
            "would_pass": self.would_pass,
            "would_fail": dict(self.would_fail.most_common()),
            "already_stored": self.already_stored,
            "older_than_ttl": self.older_than_ttl,
            "by_class": dict(self.by_class.most_common()),
            "by_reason": dict(self.by_reason.most_common()),
            "by_type": dict(self.by_type.most_common()),
            "by_hour": {shown(hour): count for hour, count in hours},
            "not_published": [
                {"outcome": decision.value, "why": why, "records": count}
                for (decision, why), count in self.why.most_common()
            ],
            "first_position": str(self.first or ""),
            "last_position": str(self.last or ""),
        }


def _place(position: Position) -> tuple[str, int, int]:
    return position.topic, position.partition, position.offset
