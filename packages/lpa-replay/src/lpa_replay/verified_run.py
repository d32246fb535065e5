"""The verification of a replay that was sent, which its audit keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs
import msgspec

from lpa_core.plugins.manager import PluginManager
from lpa_core.replays import ReplayRefused
from lpa_core.settings.settings import Settings
from lpa_replay.audit import RunRecord, record_run, recorded_run
from lpa_replay.database import ReplayDatabase
from lpa_replay.running.canary_check import canary_checks
from lpa_replay.running.run import RunState
from lpa_replay.verify import VerificationResult, verify


@final
@attrs.frozen
class VerifiedRun:
    """A run and the lines of its verification. ``passed`` if none of them failed."""

    run: RunRecord
    checks: Sequence[VerificationResult]
    passed: bool

    def as_json(self) -> dict[str, object]:
        return {"id": self.run.replay_id, "passed": self.passed, "checks": [check.as_json() for check in self.checks]}


def verify_run(
    database: ReplayDatabase, replay_id: str, settings: Settings, plugins: PluginManager, now: int
) -> VerifiedRun:
    """Find out what became of every record of a replay, and write that into its audit. ``now`` is epoch ms.

    Raises ReplayRefused if there is no such replay or it is not sent yet, SinkUnavailable, SinkMisconfigured.
    """
    run = recorded_run(database, replay_id)
    if run.state == RunState.STAGED:
        raise ReplayRefused(f"replay {replay_id} is not sent yet: start it again: it continues where it stopped")
    tables = [table for each in plugins.event_types() for table in each.tables]
    checks = verify(database, run, tables, settings.quality.dedup_ttl_minutes * 60_000, now)
    passed = all(check.passed is not False for check in checks)
    state = RunState.VERIFIED if passed else RunState.FAILED
    said = msgspec.json.encode([*canary_checks(run), *(check.as_json() for check in checks)]).decode()
    record_run(database, attrs.evolve(run, state=state.value, verification=said), now)
    return VerifiedRun(run, checks, passed)
