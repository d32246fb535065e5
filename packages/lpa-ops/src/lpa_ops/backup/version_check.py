"""Whether this version can go on with what a backup holds."""

from __future__ import annotations

import re
from itertools import chain

from clickhouse_connect.driver.client import Client

from lpa_core.plugins.manager import PluginManager
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_ops.backup.backup import BackupError
from lpa_ops.backup.store import Located
from lpa_sinks.schema.check import check_live


def require_understood(client: Client, name: str, located: Located, plugins: PluginManager) -> None:
    """Raise BackupError if a later version made it, and this one cannot write into its tables, found in ``name``.

    What an earlier version made is brought up to date by `lpa schema apply`. Raises the client's errors.
    """
    ours = {plugin.package: plugin.version for plugin in plugins.plugins if not plugin.disabled}
    made = located.backup.versions
    later = [f"{each} {made[each]}" for each in sorted(ours) if _number(made.get(each, "")) > _number(ours[each])]
    if not later:
        return
    typed = chain.from_iterable(each.tables for each in plugins.event_types())
    drifts = check_live(client, name, [RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE, *typed])
    stopping = [drift for drift in drifts if drift.stops_writing]
    if stopping:
        raise BackupError(
            f"{located.location} was made by {', '.join(later)}, and this version cannot write into its tables "
            f"({stopping[0]}): install that version, nothing was changed"
        )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
