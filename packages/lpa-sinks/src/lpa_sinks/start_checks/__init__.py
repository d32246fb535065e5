"""What a start needs of the databases and archives that lpa-sinks serves: its checks for ``lpa doctor``."""

from __future__ import annotations

from collections.abc import Sequence

from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.uris import scheme
from lpa_sinks.start_checks import archive, embedded, server


def start_checks(start: PlannedStart) -> Sequence[StartCheck]:
    several = len(start.sinks) > 1
    found: list[StartCheck] = []
    for uri in start.sinks:
        if scheme(uri) == "chdb":
            found += embedded.checks(uri, several=several)
        elif scheme(uri) in ("clickhouse", "http", "https"):
            found += server.checks(uri, several=several)
    return (*found, *archive.checks(start.archive))
