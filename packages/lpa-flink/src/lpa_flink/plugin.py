"""What lpa-flink brings to ``lpa``."""

from __future__ import annotations

from collections.abc import Sequence

import cyclopts

from lpa_core.plugins.hookspecs import hookimpl


@hookimpl
def lpa_cli_commands() -> Sequence[cyclopts.App]:
    return ()
