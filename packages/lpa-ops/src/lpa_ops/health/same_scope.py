"""Options with which another command looks at what a check looked at."""

from __future__ import annotations

import shlex
from typing import Final
from urllib.parse import urlsplit

from lpa_core.health.check import Scope
from lpa_core.time_window import shown

_MS: Final = {"h": 3_600_000, "m": 60_000}


def since_option(scope: Scope) -> str:
    """``--since`` for the check's window, and ``--sink`` as by :func:`sink_option`."""
    window = scope.now_ms - scope.since_ms
    since = next((f"{window // ms}{unit}" for unit, ms in _MS.items() if window % ms == 0), shown(scope.since_ms))
    return f"--since {since}{sink_option(scope)}"


def sink_option(scope: Scope) -> str:
    """A space and ``--sink`` for the check's database; empty for the embedded one, or if its URI has a password."""
    if scope.sink is None or urlsplit(scope.sink).password is not None:
        return ""
    return f" --sink {shlex.quote(scope.sink)}"
