"""What ``lpa`` says if a command was called with more than it takes."""

from __future__ import annotations

import cyclopts


def surplus_argument(root: cyclopts.App, error: cyclopts.CycloptsError) -> str:
    """One line that says what the command takes, and what is too much; empty if the error is about something else."""
    if not isinstance(error, cyclopts.UnusedCliTokensError) or not error.unused_tokens:
        return ""
    app = root
    for name in error.command_chain or ():
        app = app[name]
    taken = [each.name for each in app.assemble_argument_collection() if not each.name.startswith("-")]
    takes = f"only {' '.join(taken)}" if taken else "no argument, only options"
    surplus = ", ".join(f'"{token}"' for token in error.unused_tokens)
    return f'"{" ".join(("lpa", *(error.command_chain or ())))}" takes {takes}: leave out {surplus}'
