"""Whether a canary came out as the plan said: decides if the rest of the run is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.counted import counted
from lpa_core.replays import ReplayError
from lpa_replay.audit import CLOCKS_MAY_DIFFER_MS, RunRecord, results_of_run
from lpa_replay.database import ReplayDatabase
from lpa_replay.planning.plan import Plan
from lpa_replay.spool.outcomes import PASSES
from lpa_replay.spool.run_folder import Canary

CANARY: Final = "canary"
"""The check's name in the audit of a run."""
_DUPLICATE: Final = "duplicate"


class CanaryFailedError(ReplayError):
    """A canary came out otherwise than planned: the rest of the run stays where it is."""


@final
@attrs.frozen
class CanaryOutcome:
    """Records of a canary that were planned alike and came out alike.

    ``planned`` is ``passes`` or the reason why they would fail again, ``became`` the result of the verification.
    """

    planned: str
    became: str
    reason: str
    records: int

    @property
    def missing(self) -> bool:
        return self.became == "missing"

    def as_planned(self, *, forced: bool) -> bool:
        """A forced run sends stored events, too: the dedup store finds these."""
        if self.planned == PASSES:
            return self.became == "recovered" or (forced and self.reason == _DUPLICATE)
        return self.became == "failed_again" and self.reason.split(" ")[-1] == self.planned

    @property
    def told(self) -> str:
        plan = "pass" if self.planned == PASSES else f"fail again ({self.planned})"
        found = " ".join(filter(None, (self.became.replace("_", " "), self.reason)))
        return f"{counted(self.records, 'record')} planned to {plan}: {found}"


@final
@attrs.frozen
class CanaryFindings:
    """What became of all records of a canary that were sent."""

    outcomes: Sequence[CanaryOutcome]
    forced: bool

    @property
    def records(self) -> int:
        return sum(each.records for each in self.outcomes)

    @property
    def missing(self) -> int:
        return sum(each.records for each in self.outcomes if each.missing)

    @property
    def deviating(self) -> Sequence[CanaryOutcome]:
        return [each for each in self.outcomes if not each.as_planned(forced=self.forced)]

    def check(self, canary: Canary) -> dict[str, Any]:
        """As a line of a run's verification."""
        deviating = self.deviating
        said = "; ".join(each.told for each in deviating) or f"{counted(self.records, 'record')} came out as planned"
        figures = {
            "share": canary.share,
            "records": self.records,
            "outcomes": [attrs.asdict(each) for each in self.outcomes],
        }
        return {"name": CANARY, "passed": not deviating, "figures": figures, "said": said}


def canary_findings(database: ReplayDatabase, plan: Plan, canary: Canary) -> CanaryFindings:
    """Look up what became of the canary's records. Raises SinkUnavailable, SinkMisconfigured."""
    which = database.sql("of_canary.sql")
    sql = database.sql("canary_results.sql", results=results_of_run(database, which))
    rows = database.rows("look at the canary", sql, **_about(plan), last=canary.last, now=plan.created_ms)
    return CanaryFindings(
        [CanaryOutcome(str(planned), str(became), str(why), int(count)) for planned, became, why, count in rows],
        plan.asked.force,
    )


def write_canary_results(database: ReplayDatabase, plan: Plan, canary: Canary, now: int) -> None:
    """Write what became of each record of the canary into ``replay_outcomes``; ``now`` is epoch ms."""
    sql = database.sql("verify_results.sql", results=results_of_run(database, database.sql("of_canary.sql")))
    about = {**_about(plan), "last": canary.last, "now": now}
    database.run("write down the canary's results", lambda: database.client.command(sql, parameters=about))


def canary_checks(run: RunRecord) -> list[dict[str, Any]]:
    """What the audit has of a run's canary: nothing or one check, which a verification leaves there."""
    checks = msgspec.json.decode(run.verification or "[]", type=list[dict[str, Any]])
    return [each for each in checks if each["name"] == CANARY]


def refusal(plan: Plan, check: dict[str, Any], rest: int) -> CanaryFailedError:
    """Why the run stops."""
    return CanaryFailedError(
        f"replay {plan.id}: the canary did not come out as planned ({check['said']}), so the other "
        f"{counted(rest, 'record')} stayed where they are: `lpa triage` shows why; plan again after the repair"
    )


def _about(plan: Plan) -> dict[str, Any]:
    return {"replay_id": plan.id, "since": plan.created_ms - CLOCKS_MAY_DIFFER_MS}
