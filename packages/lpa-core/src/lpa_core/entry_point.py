"""The program ``lpa``: starts the command line if its libraries are installed, and says what to install if not."""

from __future__ import annotations

import sys

from lpa_core import interrupts, standard_streams

_LIBRARIES = ("cyclopts", "rich")
"""What the extra ``cli`` brings."""


def main() -> None:
    """Run ``lpa`` and exit with its status; 2 if the command line is not installed."""
    standard_streams.secure()
    interrupts.install()
    try:
        from lpa_core import cli
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _LIBRARIES:
            raise
        print("lpa: the command line is not installed: pip install 'lpa-core[cli]'", file=sys.stderr)
        sys.exit(2)
    cli.main()
