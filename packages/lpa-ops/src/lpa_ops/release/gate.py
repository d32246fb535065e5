"""The contract of a gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import final

import attrs

from lpa_core.errors import JobFailed
from lpa_core.health.check import Scope
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings


class GateState(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not judged"


class CannotJudgeError(JobFailed):
    """What the gate needs is not there. The message says what, and how to give it, in one line."""


@final
@attrs.frozen
class Target:
    """What is to be released, and what is known about it.

    Attributes:
        version: the version that is to be released.
        junit: test reports.
        folder: where the command runs; its repository is looked for from here upwards.
        scope: the database and the window that are looked at.
    """

    settings: Settings
    plugins: PluginManager
    version: str
    folder: Path
    scope: Scope
    junit: Sequence[Path] = ()

    def repository(self) -> Path:
        """The repository's root. Raises CannotJudgeError outside of one."""
        for folder in (self.folder, *self.folder.parents):
            if (folder / "docs" / "configuration.md").is_file() and (folder / "uv.lock").is_file():
                return folder
        raise CannotJudgeError(
            "this is not lpa's repository: run it in a checkout of the version that is to be released"
        )


@final
@attrs.frozen
class GateResult:
    """``problems`` are why it failed, a line each; ``detail`` is one line."""

    verdict: GateState
    detail: str
    problems: Sequence[str] = ()


def outcome(problems: Sequence[str], passed: str) -> GateResult:
    """Passed if there is no problem; ``passed`` says what was looked at."""
    if not problems:
        return GateResult(GateState.PASSED, passed)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return GateResult(GateState.FAILED, f"{problems[0]}{more}", tuple(problems))


@final
@attrs.frozen
class Gate:
    """``judge`` raises CannotJudgeError, or NotApplicable of a check that it asks: like all else, it fails the gate."""

    name: str
    title: str
    judge: Callable[[Target], GateResult]
