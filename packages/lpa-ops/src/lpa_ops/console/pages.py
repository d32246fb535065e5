"""All pages, in the order of the navigation."""

from __future__ import annotations

from typing import Final

from lpa_ops.console import data, failures, flow, health, query, repair, replay, sessions, traces
from lpa_ops.console.page import ConsoleAction, ConsolePage

PAGES: Final[tuple[ConsolePage, ...]] = (
    *flow.PAGES,
    *health.PAGES,
    *failures.PAGES,
    *repair.PAGES,
    *replay.PAGES,
    *sessions.PAGES,
    *traces.PAGES,
    *data.PAGES,
    *query.PAGES,
)

ACTIONS: Final[tuple[ConsoleAction, ...]] = replay.ACTIONS
