"""Whether rollups and API views agree with the facts of the window (docs/spec/serving.md section 10, from 36 on)."""

from __future__ import annotations

from typing import Final

from lpa_core.counted import counted
from lpa_ops.health.database import opened
from lpa_ops.health.parity import outcomes
from lpa_ops.release.gate import Gate, GateResult, Target, outcome
from lpa_sinks.parity import Severity

INVARIANTS: Final = frozenset({36, 37, 38, 40, 41, 48, 49, 51})


def judge(target: Target) -> GateResult:
    with opened(target.scope) as database:
        found = outcomes(database, target.scope, INVARIANTS)
    problems = [str(each) for each in found if each.severity in (Severity.FAIL, Severity.WARN)]
    return outcome(problems, counted(len(found), "assertion holds", "assertions hold"))


GATE: Final = Gate("rollups", "Rollups and API views", judge)
