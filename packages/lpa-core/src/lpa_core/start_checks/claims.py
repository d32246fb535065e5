"""The dedup store: whether claims can be kept in it, and are still there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from lpa_core.dedup.store import DedupStoreError, SupportsExamination
from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.health.check import Finding, NotApplicable
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.thresholds import State
from lpa_core.start_checks.data_folder import nearest_existing
from lpa_core.uris import local_path, scheme


def checks(plugins: PluginManager) -> Sequence[StartCheck]:
    return (StartCheck("dedup_store", "Dedup store", partial(_judge, plugins), seconds=45),)


def _judge(plugins: PluginManager, start: PlannedStart) -> Finding:
    kind = scheme(start.dedup)
    if kind == "memory":
        return Finding(State.OK, "in memory: what was claimed is forgotten when the process ends")
    if kind == "rocksdb":
        return _files(local_path(start.dedup))
    with closing(plugins.dedup_store(start.dedup)) as store:
        if isinstance(store, SupportsExamination):
            return Finding(State.OK, store.examine())
    raise NotApplicable(f"a dedup store of {kind}:// cannot be looked at without a change of it")


def _files(folder: Path) -> Finding:
    there = nearest_existing(folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise DedupStoreError(f"{folder}: cannot keep dedup claims there: name a folder that this user can write to")
    stores = [
        each
        for each in (folder, *sorted(folder.glob("*")))
        if (each / "CURRENT").exists() or (each / "DAMAGED").exists()
    ]
    damaged = [store for store in stores if (store / "DAMAGED").exists()]
    if damaged:
        raise DedupStoreError(
            f"{damaged[0]}: the dedup claims are damaged: restore a backup or a savepoint, as `lpa health` says"
        )
    if not stores:
        return Finding(State.OK, f"{folder} has no claims yet: a start makes them")
    return Finding(State.OK, f"{folder} has claims, which were not opened: `lpa health` looks into them")
