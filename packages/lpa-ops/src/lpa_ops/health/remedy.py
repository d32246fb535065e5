"""The command that repairs what a check found, as a person can type it."""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

from lpa_core.health.check import Scope


def command(scope: Scope, words: str) -> str:
    """In backticks, for the database of the scope; a password in its URI is left for the person to write."""
    if scope.sink is None:
        return f"`lpa {words}`"
    parts = urlsplit(scope.sink)
    if parts.password is None:
        return f"`lpa {words} --sink {shlex.quote(scope.sink)}`"
    place = scope.sink.replace(f":{parts.password}@", "@", 1)
    return f"`lpa {words} --sink {shlex.quote(place)}`"
