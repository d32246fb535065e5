"""What ``lpa`` says if a command was called without what it is about, such as a backup."""

from __future__ import annotations

import cyclopts


def missing_argument(root: cyclopts.App, error: cyclopts.CycloptsError) -> str:
    """One line that says what belongs there, from the command's help; empty if the error is about something else."""
    argument = error.argument
    if not isinstance(error, cyclopts.MissingArgumentError) or argument is None or argument.name.startswith("-"):
        return ""
    app = root
    for name in error.command_chain or ():
        app = app[name]
    helps = {each.name: each.parameter.help for each in app.assemble_argument_collection(parse_docstring=True)}
    text = " ".join((helps.get(argument.name) or "").split()).rstrip(".")
    said = f": {text[0].lower()}{text[1:]}" if text else ""
    return f'"{" ".join(("lpa", *(error.command_chain or ())))}" needs {argument.name}{said}'
