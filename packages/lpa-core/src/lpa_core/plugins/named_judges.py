"""The checks of plugins: an error of one of them, or a wrong answer, names its plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs

from lpa_core.doctor.start_check import StartCheck
from lpa_core.errors import LpaError
from lpa_core.health.check import Finding, HealthCheck
from lpa_core.health.check_answer import WrongAnswerError, message, sound
from lpa_core.plugins.calls import tell_trace
from lpa_core.plugins.plugin import Plugin, PluginRaisedError, one_line

About = TypeVar("About")


def named_health_check(plugin: Plugin, check: HealthCheck) -> HealthCheck:
    remedy = f"correct {plugin.package}, or leave the check out until then: HEALTH_CHECKS_DISABLED={check.name}"
    return attrs.evolve(check, judge=_named(plugin, f"lpa_health_checks: the check {check.name}", check.judge, remedy))


def named_start_check(plugin: Plugin, check: StartCheck) -> StartCheck:
    remedy = f"correct {plugin.package}, or set LPA_PLUGINS_DISABLED={plugin.name}"
    return attrs.evolve(check, judge=_named(plugin, f"lpa_start_checks: the check {check.name}", check.judge, remedy))


def _named(plugin: Plugin, what: str, judge: Callable[[About], Finding], remedy: str) -> Callable[[About], Finding]:
    begin = f"plugin {plugin.name} of {plugin.package}: {what}"

    def judged(about: About) -> Finding:
        try:
            return sound(judge(about))
        except WrongAnswerError as wrong:
            raise PluginRaisedError(f"{begin} {message(wrong)}", remedy=remedy) from None
        except (LpaError, KeyboardInterrupt):  # the first tells by itself what is wrong
            raise
        except BaseException as error:  # whatever a third party's check raises, an exit too
            tell_trace(plugin, error)
            told = f"{remedy}; LPA_LOG_LEVEL=debug shows where it was raised"
            raise PluginRaisedError(f"{begin} raised {one_line(error)}", remedy=told) from None

    return judged
