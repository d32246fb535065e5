"""How old the newest backup is."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_core.settings.thresholds import State
from lpa_ops.backup.backups_of_database import backups_of
from lpa_ops.backup.store import BackupStore, default_root
from lpa_ops.health.database import require_clickhouse
from lpa_ops.health.runbook import section
from lpa_sinks.clickhouse.database import endpoint_of

_HOUR_MS: Final = 3_600_000
_ACTION: Final = "make one with `lpa backup create`, and find out why the schedule did not"


def judge(scope: Scope) -> Finding:
    settings = scope.settings
    require_clickhouse(scope)
    database = endpoint_of(scope.sink, settings).database
    store = BackupStore(default_root(settings))
    found = backups_of(store, scope.sink, settings)
    thresholds = settings.health.backup_age_hours
    if not found:
        if not settings.lpa.backup_dir:
            raise NotApplicable(f"there is no backup in {store.root}: `lpa backup create` makes one")
        return Finding(State.CRITICAL, f"{store.root} has no backup of {database}", None, thresholds, _ACTION)
    newest = found[-1]
    hours = (scope.now_ms - newest.created_ms) / _HOUR_MS
    return Finding.of(round(hours, 1), thresholds, f"{newest.id} is {hours:,.1f} hours old", _ACTION)


CHECK: Final = HealthCheck("backup_age", "Age of the newest backup", judge, "hours", runbook=section("backup_age"))
