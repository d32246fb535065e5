"""A savepoint of now, of the consumer group and the plugins that this process has."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from lpa_core.data_folder import claims_name
from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.plugin import Plugin
from lpa_core.release import require_clock
from lpa_core.savepoints import Savepoint
from lpa_core.settings.settings import Settings


def new_savepoint(
    settings: Settings,
    plugins: Iterable[Plugin],
    commits: Mapping[Partition, Commit],
    dedup: Iterable[Partition],
    note: str = "",
) -> Savepoint:
    """A savepoint of now, for the group of the settings. ``dedup`` are the partitions whose claims go with it."""
    now = require_clock(time.time_ns() // 1_000_000)
    loaded = [plugin for plugin in plugins if not plugin.disabled]
    return Savepoint(
        id=f"savepoint-{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}",
        created_ms=now,
        group=settings.quality.group_id,
        commits=dict(commits),
        dedup={partition: f"dedup/{claims_name(*partition)}" for partition in dedup},
        note=note,
        settings_fingerprint=fingerprint(settings, loaded),
        versions={plugin.package: plugin.version for plugin in loaded},
    )
