"""A recovery goes on with the step it was broken off at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import final

import pytest

from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_ops.recover.run import execute, plan
from lpa_ops.recover.scenario import Context, Findings, RecoveryError, RecoveryStep


@final
class Failing:
    """A recovery whose last step fails at first."""

    name = "failing"
    findings = Findings

    def __init__(self) -> None:
        self.calls: list[str] = []

    def assess(self, context: Context) -> Findings:
        return Findings(damage=["all"], lost=[], seconds=1)

    def look_again(self, found: Findings, begun: Collection[str], started_ms: int, context: Context) -> Findings:
        return found

    def steps(self, found: Findings, context: Context) -> Sequence[RecoveryStep]:
        return [
            RecoveryStep("look", "look first", lambda: self.call("look")),
            RecoveryStep("restore", "bring all back", lambda: self.call("restore"), once=True),
            RecoveryStep("check", "check it", lambda: self.call("check")),
            RecoveryStep("commit", "commit it", self.commit, once=True),
        ]

    def then(self, found: Findings) -> Sequence[str]:
        return []

    def call(self, name: str) -> str:
        self.calls.append(name)
        return "done"

    def commit(self) -> str:
        self.call("commit")
        if self.calls.count("commit") == 1:
            raise RecoveryError("broken off")
        return "done"


def test_what_is_done_once_is_not_done_again(tmp_path: Path) -> None:
    settings = Settings(lpa=ProcessSettings(data_dir=tmp_path / "data"))
    context = Context(settings, PluginManager(settings), None, str(tmp_path / "backups"))
    scenario = Failing()
    told: list[str] = []
    with pytest.raises(RecoveryError, match="broken off"):
        execute(scenario, context)
    assert scenario.calls == ["look", "restore", "check", "commit"]
    shown, steps = plan(scenario, context)
    assert shown.journal is not None
    assert [step.name for step, done in steps if done] == ["restore"]
    assert execute(scenario, context, lambda step, outcome: told.append(step.name))
    assert told == scenario.calls[4:] == ["look", "check", "commit"]
    assert plan(scenario, context)[0].journal is None
