"""What a command says while it works."""

from __future__ import annotations

from lpa_core.commands.output import console


def report_progress(text: str) -> None:
    """Print a line on standard error."""
    console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
