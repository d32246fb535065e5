"""What lpa-ops brings to ``lpa``."""

from __future__ import annotations

from collections.abc import Sequence

import cyclopts

from lpa_core.health.check import HealthCheck
from lpa_core.plugins.context import AppContext
from lpa_core.plugins.hookspecs import hookimpl
from lpa_core.savepoints import SavepointKeeper
from lpa_core.settings.settings import Settings


@hookimpl
def lpa_cli_commands(context: AppContext) -> Sequence[cyclopts.App]:
    from lpa_ops.commands.backup import backup_app
    from lpa_ops.commands.console import console_app
    from lpa_ops.commands.erase import erase_app
    from lpa_ops.commands.health import health_app
    from lpa_ops.commands.mcp import mcp_app
    from lpa_ops.commands.recover import recover_app
    from lpa_ops.commands.release_check import release_check_app
    from lpa_ops.commands.savepoint import savepoint_app
    from lpa_ops.commands.serve import serve_app
    from lpa_ops.commands.trace import trace_app
    from lpa_ops.commands.triage import triage_app

    return (
        backup_app(context),
        console_app(context),
        erase_app(context),
        health_app(context),
        mcp_app(context),
        recover_app(context),
        release_check_app(context),
        savepoint_app(context),
        serve_app(context),
        trace_app(context),
        triage_app(context),
    )


@hookimpl
def lpa_health_checks(settings: Settings) -> Sequence[HealthCheck]:
    from lpa_ops.health.checks import CHECKS

    return CHECKS


@hookimpl
def lpa_savepoints(context: AppContext) -> SavepointKeeper:
    from lpa_ops.savepoint.keeper import Keeper

    return Keeper(context.settings, context.plugins)
