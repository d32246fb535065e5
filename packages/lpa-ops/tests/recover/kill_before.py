"""``python kill_before.py MODULE NAME COUNT ARGUMENT ...``: the command, killed at a function's nth call.

A name of a method has its class before a dot.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from operator import attrgetter
from typing import Any

from lpa_core.cli import run


def main(module: str, name: str, count: str, *arguments: str) -> int:
    *path, last = name.split(".")
    owner = attrgetter(".".join(path))(import_module(module)) if path else import_module(module)
    function, calls = getattr(owner, last), 0

    def killed(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == int(count):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)

    setattr(owner, last, killed)
    return run(list(arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
