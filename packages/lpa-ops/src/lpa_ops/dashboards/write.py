"""Writes the dashboards as the files that Grafana provisions: ``python -m lpa_ops.dashboards.write FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import msgspec

from lpa_ops.dashboards.dashboard import Dashboard
from lpa_ops.dashboards.delivery import DELIVERY
from lpa_ops.dashboards.overview import OVERVIEW
from lpa_ops.dashboards.quality_gate import QUALITY_GATE
from lpa_ops.dashboards.sessions import SESSIONS

DASHBOARDS: Final = (OVERVIEW, QUALITY_GATE, DELIVERY, SESSIONS)


def text(dashboard: Dashboard) -> str:
    return msgspec.json.format(msgspec.json.encode(dashboard.as_json()), indent=2).decode() + "\n"


def write(folder: Path) -> None:
    """One file a dashboard, named by its uid."""
    folder.mkdir(parents=True, exist_ok=True)
    for dashboard in DASHBOARDS:
        (folder / f"{dashboard.uid}.json").write_text(text(dashboard), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
