"""What lpa-ops brings to ``lpa``."""

from __future__ import annotations

from collections.abc import Sequence

import cyclopts

from lpa_core.plugins.hookspecs import hookimpl
from lpa_core.savepoints import SavepointKeeper
from lpa_core.settings import Settings


@hookimpl
def lpa_cli_commands(settings: Settings) -> Sequence[cyclopts.App]:
    from lpa_ops.savepoint.commands import savepoint_app
    from lpa_ops.triage.command import triage_app

    return (savepoint_app(settings), triage_app(settings))


@hookimpl
def lpa_savepoints(settings: Settings) -> SavepointKeeper:
    from lpa_ops.savepoint.keeper import Keeper

    return Keeper(settings)
