"""How many events were quarantined although they are not the event that their key is stored with."""

from __future__ import annotations

from typing import Final

from lpa_core.counted import counted
from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_core.settings.thresholds import State, Thresholds
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section
from lpa_ops.health.same_scope import since_option

_RECORDS: Final = Thresholds(0, 100)
_KEY_SHOWN: Final = 80


def judge(scope: Scope) -> Finding:
    with opened(scope) as database:
        database.require("streaming_events", "streaming_events_quarantine")
        most = database.ask("other_content.sql")
    if not most:
        return Finding.of(0, _RECORDS, "no quarantined event has other content than the stored event of its key", "")
    found = most[0]
    what = (
        f"{found['total']:,} quarantined events have the key of a stored event and other content, under "
        f"{counted(found['keys'], 'key')}; most under {found['key'][:_KEY_SHOWN]!r} ({found['records']:,}, "
        f"{found['type']})"
    )
    action = f"`lpa triage {since_option(scope)}` shows them; correct the producer: each event needs an id of its own"
    return Finding.of(found["total"], _RECORDS, what, action)


CHECK: Final = HealthCheck(
    "same_key_other_content",
    "Same key, other content",
    judge,
    "records",
    severity=State.WARNING,
    costly=True,
    runbook=section("same_key_other_content"),
)
