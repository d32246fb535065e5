"""How much of the disks is free: that of the data folder, and those of ClickHouse."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section

_BOUNDLESS: Final = 1 << 60
"""Object stores give sizes like this for what has no end."""


def judge(scope: Scope) -> Finding:
    shares = dict(_shares(scope))
    fullest = min(shares, key=lambda name: shares[name])
    return Finding.of(
        shares[fullest],
        scope.settings.health.disk_free_share,
        ", ".join(f"{share:.0%} of {name} is free" for name, share in sorted(shares.items(), key=lambda each: each[1])),
        f"make room on {fullest}, or move it to a larger disk",
    )


def _shares(scope: Scope) -> Iterator[tuple[str, float]]:
    folder = _there(scope.settings.lpa.data_dir)
    usage = shutil.disk_usage(folder)
    yield str(folder), usage.free / usage.total
    try:
        with opened(scope) as database:
            if database.embedded:
                return
            for disk in database.ask("disks.sql"):
                if 0 < disk["total_space"] < _BOUNDLESS:
                    yield f"ClickHouse's disk {disk['name']}", disk["unreserved_space"] / disk["total_space"]
    except NotApplicable:
        return


def _there(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


CHECK: Final = HealthCheck("disk", "Free disk space", judge, "share", runbook=section("disk"))
