"""All pages, in the order of the navigation."""

from __future__ import annotations

from typing import Final

from lpa_ops.console import health
from lpa_ops.console.page import ConsolePage

PAGES: Final[tuple[ConsolePage, ...]] = (*health.PAGES,)
