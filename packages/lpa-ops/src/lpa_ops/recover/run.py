"""Carries a scenario out, or goes on with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from lpa_ops.recover.journal import Journal
from lpa_ops.recover.scenario import Context, Findings, Plan, Scenario, Step

F = TypeVar("F", bound=Findings)

_log = structlog.get_logger("lpa.recover")


def plan(scenario: Scenario[F], context: Context) -> tuple[Plan, list[tuple[Step, bool]]]:
    """What was found, and the steps with whether each is done already; changes nothing."""
    found, done = _found(scenario, context)
    steps = scenario.steps(found, context) if found.damage else []
    shown = Plan(found.damage, found.lost, found.seconds, scenario.then(found))
    return shown, [(step, step.name in done) for step in steps]


def execute(
    scenario: Scenario[F], context: Context, tell: Callable[[Step, str], None] = lambda step, outcome: None
) -> bool:
    """Do the steps that are not done; False where there is nothing to recover.

    ``tell`` is told each step's outcome. Broken off, it goes on with the step it was at.
    """
    journal = Journal(context.settings, scenario.name, scenario.findings)
    found, done = _found(scenario, context)
    if not found.damage:
        return False
    journal.write(found, done)
    for step in scenario.steps(found, context):
        if step.name in done:
            continue
        outcome = step.do()
        done.append(step.name)
        journal.write(found, done)
        _log.info("recovery step done", scenario=scenario.name, step=step.name, outcome=outcome)
        tell(step, outcome)
    journal.close()
    return True


def _found(scenario: Scenario[F], context: Context) -> tuple[F, list[str]]:
    begun = Journal(context.settings, scenario.name, scenario.findings).read()
    return begun if begun is not None else (scenario.assess(context), [])
