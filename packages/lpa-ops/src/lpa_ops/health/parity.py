"""The parity assertions of lpa_sinks, as checks and gates ask them: over whole hours that are over and derived."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, final

import attrs

from lpa_core.counted import counted
from lpa_core.health.check import Finding, NotApplicable, Scope
from lpa_core.settings.thresholds import State, Thresholds
from lpa_ops.health.database import HealthDatabase, opened
from lpa_ops.health.same_scope import sink_option
from lpa_sinks import parity
from lpa_sinks.clickhouse.retries import AT_ONCE

_CHECKED_ELSEWHERE: Final = frozenset({50, 77, 79})
"""Conservation of positions and freshness are checks of their own, with thresholds that can be set; which view has more
rows is a matter of the traffic."""


@final
@attrs.frozen
class AssertionOutcome:
    """Of one assertion. ``severity`` is None if it holds; ``detail`` is what it means that it does not."""

    name: str
    severity: parity.Severity | None
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}"


def outcomes(
    database: HealthDatabase, scope: Scope, invariants: Collection[int] = (), without: Collection[int] = ()
) -> Sequence[AssertionOutcome]:
    """Ask the assertions that cover any of these invariants (docs/spec/serving.md section 10); none for all.

    Those that cover one of ``without`` are left out.

    Raises NotApplicable if no event of the hours is stored.
    """
    start, end = _hours(scope)
    database.require("known_gaps", "fact_workflow_sessions", "v_api_gpu_metrics")
    if start >= end or not database.ask_for_one("events.sql", start=_ms(start), end=_ms(end))["events"]:
        raise NotApplicable(f"no event from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC")
    asked = [each for each in parity.assertions() if _is_asked(each, frozenset(invariants), frozenset(without))]

    def ask(assertion: parity.Assertion) -> parity.AssertionResult:
        return AT_ONCE.run(
            f"{database.name}: {assertion.name}",
            lambda: parity.ask(database.client, database.name, assertion, start, end),
        )

    return [_outcome(ask(assertion)) for assertion in asked]


def options(scope: Scope) -> str:
    """Of a command that is about the same hours of the same database, but for a password in its URI."""
    start, end = _hours(scope)
    return f"--start {start:%Y-%m-%dT%H:%M:%S} --end {end:%Y-%m-%dT%H:%M:%S}{sink_option(scope)}"


def judge_parity(scope: Scope, action: str, invariants: Collection[int] = ()) -> Finding:
    """Judge by the worst of the violated assertions; those that only tell do not count."""
    with opened(scope) as database:
        found = outcomes(database, scope, invariants, without=() if invariants else _CHECKED_ELSEWHERE)
    failed = [each for each in found if each.severity is parity.Severity.FAIL]
    warned = [each for each in found if each.severity is parity.Severity.WARN]
    state = State.CRITICAL if failed else State.WARNING if warned else State.OK
    what = counted(len(found), "assertion holds", "assertions hold")
    if failed or warned:
        named = "; ".join(map(str, (*failed, *warned)[:3]))
        what = f"{len(failed)} of {len(found)} assertions failed, {len(warned)} warn: {named}"
    return Finding(state, what, len(failed), Thresholds(0, 0), "" if state is State.OK else action)


def _is_asked(assertion: parity.Assertion, invariants: frozenset[int], without: frozenset[int]) -> bool:
    covers = frozenset(assertion.covers)
    return not covers & without and (not invariants or bool(covers & invariants))


def _outcome(found: parity.AssertionResult) -> AssertionOutcome:
    if found.severity is None:
        return AssertionOutcome(found.assertion.name, None)
    return AssertionOutcome(
        found.assertion.name, found.severity, f"{found.assertion.meaning} ({counted(len(found.rows), 'row')})"
    )


def _hours(scope: Scope) -> tuple[datetime, datetime]:
    return parity.settled_hours(scope.settings, scope.since_ms, scope.now_ms)


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)
