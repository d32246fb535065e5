"""How a plugin's command says that it failed."""

from __future__ import annotations

from lpa_core.errors import JobFailed


class CommandFailed(JobFailed):
    """The command could not do its work: exit status 1. One line: what was wrong, where, what to do."""
