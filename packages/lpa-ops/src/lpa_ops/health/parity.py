"""The parity assertions, as checks need them: the one place that knows where they come from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import final

import attrs

from lpa_core.health.check import Finding, NotApplicable, Scope
from lpa_core.health.state import State, Thresholds
from lpa_ops.health.database import Database, opened


class Severity(StrEnum):
    """What a violation means (spec/serving.md section 10)."""

    FAIL = "FAIL"
    WARN = "WARN"
    INFO = "INFO"


@final
@attrs.frozen
class Outcome:
    """Of one assertion over a window. ``detail`` says what was violated; empty where nothing was."""

    name: str
    severity: Severity
    detail: str = ""


def outcomes(database: Database, scope: Scope, names: Collection[str] | None = None) -> Sequence[Outcome]:
    """Run the assertions of these names, or all. Raises NotApplicable where there are none."""
    raise NotApplicable("this version brings no parity assertions")


def judge_parity(scope: Scope, names: Collection[str] | None, action: str) -> Finding:
    """Judge by the worst of the violated assertions; INFO does not count."""
    with opened(scope) as database:
        found = outcomes(database, scope, names)
    if not found:
        raise NotApplicable("nothing to compare in the window")
    failed = [each for each in found if each.detail and each.severity is Severity.FAIL]
    warned = [each for each in found if each.detail and each.severity is Severity.WARN]
    state = State.CRITICAL if failed else State.WARNING if warned else State.OK
    named = "; ".join(f"{each.name}: {each.detail}" for each in (*failed, *warned)[:3])
    return Finding(
        state,
        f"{len(failed)} of {len(found)} assertions failed, {len(warned)} warn: {named}"
        if failed or warned
        else f"{len(found)} assertions hold",
        len(failed),
        Thresholds(0, 0),
        "" if state is State.OK else action,
    )
