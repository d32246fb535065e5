"""All pages, in the order of the navigation."""

from __future__ import annotations

from typing import Final

from lpa_ops.console import failures, flow, health, traces
from lpa_ops.console.page import ConsolePage

PAGES: Final[tuple[ConsolePage, ...]] = (
    *flow.PAGES,
    *health.PAGES,
    *failures.PAGES,
    *traces.PAGES,
)
