"""The page about dashboards shows each panel."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_about_dashboards_is_made_of_them() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "dashboard_page.py"))["page"]()
    assert (ROOT / "docs" / "operations" / "dashboards.md").read_text() == made, "./dev pages writes it"
