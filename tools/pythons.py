"""Which Python ``./dev tests --python VERSION`` means, and where it is on this machine."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
"""What lpa supports or is about to."""


def chosen_python(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The version that ``--python VERSION`` names, or nothing, and the other arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--python", default="")
    chosen, others = parser.parse_known_args(arguments)
    return str(chosen.python), others


def interpreter(version: str) -> str | None:
    """A Python of this version, such as 3.13, on the PATH or among pyenv's; None if there is none that starts."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for found in [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}*/bin/python"), reverse=True)]:
        if found:
            told = subprocess.run([found, "-V"], capture_output=True, text=True, check=False).stdout
            if f"{told.strip()}.".startswith(f"Python {version}."):
                return str(found)
    return None
