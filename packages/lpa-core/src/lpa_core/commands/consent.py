"""A command that takes something away asks first, if somebody is there to be asked."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from lpa_core.commands.listing import print_paragraph
from lpa_core.commands.output import console


def somebody_is_there() -> bool:
    """Whether a person reads and can answer; in a script the command itself is the answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def agreed(question: str, *, stderr: bool = False) -> bool:
    """Whether somebody at the terminal says yes."""
    console(stderr=stderr).print(f"{question} [y/N] ", end="", soft_wrap=True)
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False


def confirmed(plan: Iterable[str], question: str, *, yes: bool) -> bool:
    """Show the plan on a terminal and ask; with ``yes``, and if nobody can be asked, it is agreed."""
    if yes or not somebody_is_there():
        return True
    screen = console(stderr=True)
    for line in plan:
        print_paragraph(screen, line)
    return agreed(question, stderr=True)
