"""What a message tells a person to do."""

from __future__ import annotations

import re
import shlex

from lpa_core.cli import run

COMMAND = re.compile(r"`lpa ([a-z][^`]*)`")


def named(said: str) -> list[str]:
    """The arguments of the command that a message names; where it names several, of the first."""
    command = COMMAND.search(said)
    assert command, f"no command is named: {said}"
    return shlex.split(command[1])


def follow(said: str, *more: str) -> list[str]:
    """Run the command that a message names, with ``--execute`` where it is a recovery; answer its arguments.

    ``more``: options that the person knows. Those that the message names already are left out.
    """
    arguments = named(said)
    if arguments[0] == "recover" and "--execute" not in arguments:
        arguments.append("--execute")  # the plan that comes without asks for it
    for option, value in zip(more[::2], more[1::2], strict=True):
        if option not in arguments:
            arguments += [option, value]
    assert run(arguments) == 0, arguments
    return arguments
