"""The dashboards as the files that Grafana provisions."""

from __future__ import annotations

from typing import Final

import msgspec

from lpa_ops.dashboards.dashboard import Dashboard
from lpa_ops.dashboards.delivery import DELIVERY
from lpa_ops.dashboards.jobs import JOBS
from lpa_ops.dashboards.overview import OVERVIEW
from lpa_ops.dashboards.quality_gate import QUALITY_GATE
from lpa_ops.dashboards.sessions import SESSIONS

DASHBOARDS: Final = (OVERVIEW, QUALITY_GATE, DELIVERY, SESSIONS, JOBS)


def text(dashboard: Dashboard) -> str:
    return msgspec.json.format(msgspec.json.encode(dashboard.as_json()), indent=2).decode() + "\n"
