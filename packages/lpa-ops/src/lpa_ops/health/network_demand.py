"""What gateways were asked for in the full hours before now, and what came of it (docs/spec/producers.md section 7)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Final, TypeVar, final

import attrs

from lpa_core.health.check import Figure, Finding, NotApplicable, Scope
from lpa_core.settings.thresholds import State
from lpa_ops.health.database import opened

REQUESTED: Final = 50
"""Sessions of the hour from which on it is judged."""
_NAMED: Final = 3
_FIGURES: Final = 100
"""So many gateways and pipelines, those that ask for most, have metrics: names come from outside."""

_Key = TypeVar("_Key", bound=Hashable)


@final
@attrs.frozen(slots=True)
class Demand:
    """Known sessions that started in an hour. ``failed`` ones ended without output, or nobody served them."""

    requested: int = 0
    failed: int = 0
    signals: int = 0
    expected: int = 0

    def __add__(self, other: Demand) -> Demand:
        return Demand(
            self.requested + other.requested,
            self.failed + other.failed,
            self.signals + other.signals,
            self.expected + other.expected,
        )


@final
@attrs.frozen(slots=True)
class DemandHour:
    """``hours_ago`` is 1 for the last full hour."""

    hours_ago: int
    gateway: str
    pipeline: str
    demand: Demand


def demand_hours(scope: Scope, hours: int = 1) -> Sequence[DemandHour]:
    """The sessions of the last full hours. Raises what :func:`opened` raises."""
    with opened(scope) as database:
        database.require("v_session_outcomes")
        rows = database.ask("network_demand.sql", hours=hours)
    return [
        DemandHour(
            row["hours_ago"],
            row["gateway"],
            row["pipeline"],
            Demand(row["requested"], row["failed"], row["signals"], row["expected"]),
        )
        for row in rows
    ]


def jobs_by_hour(scope: Scope, hours: int) -> Mapping[tuple[str, int], int]:
    """Jobs by pipeline, or capability, and by hours ago as in DemandHour. Raises what :func:`opened` raises."""
    with opened(scope) as database:
        database.require("fact_jobs")
        rows = database.ask("job_demand.sql", hours=hours)
    return {(row["pipeline"], row["hours_ago"]): row["requested"] for row in rows}


def summed(hours: Iterable[DemandHour], key: Callable[[DemandHour], _Key]) -> Mapping[_Key, Demand]:
    """The demand of each key."""
    sums: dict[_Key, Demand] = {}
    for hour in hours:
        sums[key(hour)] = sums.get(key(hour), Demand()) + hour.demand
    return sums


@final
@attrs.frozen(slots=True)
class Judged:
    """A gateway and pipeline, or a pipeline alone, and what is said of it.

    Attributes:
        weight: sessions that it rests on.
        share: what is judged; None if too few sessions are there.
        amiss: whether the share is beyond what is tolerated.
        figures: what is shown as metrics.
    """

    pipeline: str
    weight: float
    share: float | None
    amiss: bool
    detail: str
    figures: Mapping[str, float]
    gateway: str = ""

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.pipeline or "(no pipeline)", self.gateway and f"of {self.gateway}")))


def finding(judged: Iterable[Judged], what: str, action: str) -> Finding:
    """A warning that names those that are amiss. It is never critical: the network is in trouble, not lpa.

    Args:
        what: of what those are that are amiss, after their number.

    Raises NotApplicable if nothing can be judged.
    """
    ranked = sorted(judged, key=lambda each: (-each.weight, each.gateway, each.pipeline))
    shares = [each.share for each in ranked if each.share is not None]
    if not shares:
        raise NotApplicable(f"too little was asked for: fewer than {REQUESTED} sessions of a pipeline in an hour")
    amiss = [each for each in ranked if each.amiss]
    named = "; ".join(f"{each.name}: {each.detail}" for each in amiss[:_NAMED])
    more = f"; and {len(amiss) - _NAMED} more" if len(amiss) > _NAMED else ""
    return Finding(
        State.WARNING if amiss else State.OK,
        f"{len(amiss)} of {len(shares)} {what}" + (f": {named}{more}" if amiss else ""),
        len(amiss),
        action=action if amiss else "",
        figures=[
            Figure(name, value, each.gateway, each.pipeline)
            for each in ranked[:_FIGURES]
            for name, value in each.figures.items()
        ],
    )
