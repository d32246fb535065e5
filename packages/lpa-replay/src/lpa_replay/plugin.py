"""What lpa-replay brings to ``lpa``."""

from __future__ import annotations

from collections.abc import Sequence

import cyclopts

from lpa_core.plugins.context import AppContext
from lpa_core.plugins.hookspecs import hookimpl


@hookimpl
def lpa_cli_commands(context: AppContext) -> Sequence[cyclopts.App]:
    from lpa_replay.commands.replay import replay_app

    return (replay_app(context),)
