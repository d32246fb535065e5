"""``lpa replay check``."""
from __future__ import annotations
import cyclopts
from lpa_core.settings import Settings
def add_check(app: cyclopts.App, settings: Settings) -> None: ...
