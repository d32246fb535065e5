"""Which share of the status samples of the last hour is attributed (docs/spec/producers.md section 7)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Figure, Finding, HealthCheck, NotApplicable, Scope
from lpa_core.settings.thresholds import State
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section

_SAMPLES: Final = 500
"""From which on it is judged."""
_LEAST_ATTRIBUTED: Final = 0.75


def judge(scope: Scope) -> Finding:
    with opened(scope) as database:
        database.require("fact_stream_status_samples")
        found = database.ask_for_one("sample_attribution.sql")
    samples, attributed = found["samples"], found["attributed"]
    if samples < _SAMPLES:
        raise NotApplicable(f"{samples:,} status samples in the last hour: at least {_SAMPLES} are needed")
    share = attributed / samples
    amiss = share < _LEAST_ATTRIBUTED
    return Finding(
        State.WARNING if amiss else State.OK,
        f"{attributed:,} of {samples:,} status samples of the last hour are attributed ({share:.1%})",
        share,
        action="see whether network_capabilities still arrive, and name the wallets that serve" if amiss else "",
        figures=[Figure("samples", samples), Figure("attributed", attributed)],
    )


CHECK: Final = HealthCheck(
    "sample_attribution", "Attribution of samples", judge, "share", costly=True, runbook=section("sample_attribution")
)
