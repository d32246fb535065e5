"""What lpa-flink brings to ``lpa``."""

from __future__ import annotations

from collections.abc import Sequence

import cyclopts

from lpa_core.health.check import HealthCheck
from lpa_core.plugins.context import AppContext
from lpa_core.plugins.hookspecs import hookimpl
from lpa_core.settings.settings import Settings


@hookimpl
def lpa_cli_commands(context: AppContext) -> Sequence[cyclopts.App]:
    from lpa_flink.commands.flink import flink_app

    return (flink_app(context),)


@hookimpl
def lpa_health_checks(settings: Settings) -> Sequence[HealthCheck]:
    if not settings.lpa_flink.address:
        return ()
    from lpa_flink.health_check import CHECK

    return (CHECK,)
