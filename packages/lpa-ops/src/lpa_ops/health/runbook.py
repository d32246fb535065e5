"""Where it is written what to do about a check."""

from __future__ import annotations

from typing import Final

PAGE: Final = "docs/operations/health.md"


def section(check: str) -> str:
    """The runbook's section about a check of this package."""
    return f"{PAGE}#{check.replace('_', '-')}"
