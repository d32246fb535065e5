"""What became of the records of the window, and of those of the days before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, final

import attrs

from lpa_core.health.check import Finding, NotApplicable, Scope
from lpa_core.settings.thresholds import State, Thresholds
from lpa_ops.health.database import HealthDatabase, long_before, opened

_FEW: Final = 10
"""Up to this number of rejects, shares are not compared."""
_REQUIRED: Final = ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine", "replay_outcomes")


@final
@attrs.frozen
class Share:
    """Rejects among records. ``note`` says what else is known of them; it may be empty."""

    rejects: int
    records: int
    note: str = ""

    @property
    def value(self) -> float:
        return self.rejects / self.records if self.records else 0.0


Corrected = Callable[[HealthDatabase, Share, Mapping[str, Any]], Share]
"""Looks closer at a share that is beyond a threshold."""


def judge_share(
    scope: Scope,
    place: str,
    name: str,
    thresholds: Thresholds,
    action: str,
    look_closer: Corrected = lambda database, share, found: share,
) -> Finding:
    """Judge the share of one kind of reject by its thresholds, and by its share of the days before.

    Args:
        place: ``dlq`` or ``quarantine``.
        name: the rejects, for people.
        look_closer: is asked only where the share is not ok, because it may cost more.
    """
    usual_since = long_before(scope)
    with opened(scope) as database:
        database.require(*_REQUIRED)
        found = database.ask_for_one("rejects.sql", usual_since=usual_since)
        now = Share(found[place], found["records"])
        before = Share(found[f"{place}_before"], found["records_before"])
        if not now.records:
            raise NotApplicable("no record arrived in the window")

        def judged(share: Share) -> Finding:
            return _judged(share, before, name, thresholds, action, scope)

        finding = judged(now)
        return finding if finding.state is State.OK else judged(look_closer(database, now, found))


def _judged(now: Share, before: Share, name: str, thresholds: Thresholds, action: str, scope: Scope) -> Finding:
    what = f"{now.rejects:,} of {now.records:,} records were {name} ({now.value:.2%}){now.note}"
    if before.records:
        what += f", {before.value:.2%} in the {scope.settings.health.usual_days} days before"
    finding = Finding.of(now.value, thresholds, what, action)
    unusual = before.records > 0 and now.value > scope.settings.health.times_usual * before.value
    if unusual and now.rejects >= _FEW and finding.state is State.OK:
        return attrs.evolve(finding, state=State.WARNING, action=action)
    return finding
