"""Whether the parity assertions hold that must (spec/serving.md section 10: FAIL blocks a release)."""

from __future__ import annotations

from typing import Final

from lpa_ops.health.database import opened
from lpa_ops.health.parity import Severity, outcomes
from lpa_ops.release.gate import CannotJudge, Gate, Outcome, Target, outcome


def judge(target: Target) -> Outcome:
    with opened(target.scope) as database:
        found = outcomes(database, target.scope)
    if not found:
        raise CannotJudge("nothing to compare in the window: name another with --since")
    problems = [f"{each.name}: {each.detail}" for each in found if each.detail and each.severity is Severity.FAIL]
    return outcome(problems, f"{len(found)} assertions hold")


GATE: Final = Gate("parity", "Parity assertions", judge)
