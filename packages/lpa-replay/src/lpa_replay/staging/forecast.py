"""The figures of a run: what its outcomes come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, final

import attrs

from lpa_core.records import Position
from lpa_core.time_window import shown
from lpa_replay.spool.outcomes import ALREADY_STORED, PASSES, Decision, ReplayDecision

_HOUR_MS = 3_600_000
_MOST_DETAILS = 1_000
"""Details may be different for each record: further ones are counted without."""


@final
@attrs.define
class Forecast:
    """Counts over the outcomes of a run.

    Attributes:
        read: records that the source handed over, selected or not.
        untimed: those that have no time which a window could be about.
        missed: those that the window would take by the other clock only.
        by_class, by_reason, by_type, by_hour: of all selected records; hours are epoch ms.
        would_fail: of the published ones, by the reason why they would be rejected again.
        would_fail_of: the same by event type, reason and details.
        why: of all others, by decision and reason.
        older_than_ttl: records that the dedup store has forgotten, if it ever knew them.
        first, last: positions of published records, lowest and highest.
        samples: some records before and after, of those that are repaired.
    """

    now: int
    ttl_ms: int
    read: int = 0
    untimed: int = 0
    missed: int = 0
    decisions: Counter[Decision] = attrs.field(factory=Counter[Decision])
    by_class: Counter[str] = attrs.field(factory=Counter[str])
    by_reason: Counter[str] = attrs.field(factory=Counter[str])
    by_type: Counter[str] = attrs.field(factory=Counter[str])
    by_hour: Counter[int | None] = attrs.field(factory=Counter[int | None])
    would_fail: Counter[str] = attrs.field(factory=Counter[str])
    would_fail_of: Counter[tuple[str, str, str]] = attrs.field(factory=Counter[tuple[str, str, str]])
    why: Counter[tuple[Decision, str]] = attrs.field(factory=Counter[tuple[Decision, str]])
    older_than_ttl: int = 0
    typed_rows: int = 0
    first: Position | None = None
    last: Position | None = None
    samples: list[tuple[str, str]] = attrs.field(factory=list)

    def emptied(self) -> Forecast:
        """What was read, with none of its outcomes."""
        return Forecast(self.now, self.ttl_ms, self.read, self.untimed, self.missed, samples=self.samples)

    def add(self, outcomes: Sequence[ReplayDecision]) -> None:
        self.decisions.update([each.decision for each in outcomes])
        self.by_class.update([each.failure_class for each in outcomes])
        self.by_reason.update([each.failure_reason for each in outcomes])
        self.by_type.update([each.event_type for each in outcomes])
        self.by_hour.update([_hour(each) for each in outcomes])
        forgotten = self.now - self.ttl_ms
        for each in outcomes:
            known = each.event_ms if each.record_ms is None else each.record_ms
            self.older_than_ttl += known is not None and known < forgotten
        published = [each for each in outcomes if each.decision is Decision.PUBLISHED]
        if len(published) < len(outcomes):
            self.why.update([(each.decision, each.why) for each in outcomes if each.decision is not Decision.PUBLISHED])
        if not published:
            return
        for each in published:
            if each.forecast != PASSES:
                self._fails(each)
        self.typed_rows += sum([each.typed_rows for each in published])
        lowest, highest = min(each.origin for each in published), max(each.origin for each in published)
        self.first = lowest if self.first is None else min(self.first, lowest)
        self.last = highest if self.last is None else max(self.last, highest)

    def _fails(self, outcome: ReplayDecision) -> None:
        self.would_fail[outcome.forecast] += 1
        known = (outcome.event_type, outcome.forecast, outcome.forecast_details)
        if known not in self.would_fail_of and len(self.would_fail_of) >= _MOST_DETAILS:
            known = (outcome.event_type, outcome.forecast, "")
        self.would_fail_of[known] += 1

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
            "missed": self.missed,
            "selected": self.selected,
            **{decision.value: self.decisions[decision] for decision in Decision},
            "would_pass": self.would_pass,
            "would_fail": dict(self.would_fail.most_common()),
            "would_fail_details": [
                {"type": kind, "reason": reason, "details": details, "records": count}
                for (kind, reason, details), count in self.would_fail_of.most_common()
            ],
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


def _hour(outcome: ReplayDecision) -> int | None:
    moment = outcome.record_ms if outcome.event_ms is None else outcome.event_ms
    return None if moment is None else moment // _HOUR_MS * _HOUR_MS
