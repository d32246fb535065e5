"""The ``lpa`` command: built-in commands, and those that plugins contribute."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import cyclopts
import structlog

from lpa_core import interrupts, logs, standard_streams
from lpa_core.commands.config import config
from lpa_core.commands.doctor import doctor
from lpa_core.commands.generate import generate_app
from lpa_core.commands.ingest import ingest
from lpa_core.commands.missing_argument import missing_argument
from lpa_core.commands.options import require_utf8
from lpa_core.commands.output import console, plain, show_every_character
from lpa_core.commands.plugins import plugins_app
from lpa_core.commands.surplus_argument import surplus_argument
from lpa_core.commands.tap import tap_app
from lpa_core.commands.topics import topics_app
from lpa_core.commands.types import types_app
from lpa_core.commands.unknown_command import unknown_command
from lpa_core.errors import ContractError, LpaError, UsageError
from lpa_core.plugins.culprit import COMMANDS, Culprit
from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.plugin import one_line
from lpa_core.proxies import reach_loopback_directly
from lpa_core.settings.loading import load, usable
from lpa_core.settings.settings import Settings
from lpa_core.settings.settings_file import SETTINGS_FILE, SettingsFile
from lpa_core.system_errors import explained, has_advice, number_in, out_of_files, raise_limit_of_files

_LARGEST_STATUS: Final = 255
_DIAGNOSES: Final = ("config", "doctor", "types")
"""Commands that say what is wrong with the settings and plugins, and so have to run with any."""


def build_app(settings: Settings, plugins: PluginManager) -> cyclopts.App:
    app = cyclopts.App(
        name="lpa",
        help="Streaming ingestion for live-AI telemetry: every event once, none lost, bad ones kept with the reason.",
        version_flags=["--version"],
        default_parameter=cyclopts.Parameter(validator=require_utf8),
        result_action="return_value",
    )
    app.command(ingest(settings, plugins), name="ingest")
    app.command(config(plugins), name="config")
    app.command(doctor(settings, plugins), name="doctor")
    app.command(plugins_app(plugins))
    app.command(generate_app(settings))
    app.command(tap_app(plugins.context))
    app.command(topics_app(plugins.context))
    app.command(types_app(plugins))
    plugins.add_commands(app)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run ``lpa`` and exit: 0 done, 1 the check or job failed, 2 wrong usage or configuration, 130 stopped."""
    standard_streams.secure()
    interrupts.install()
    try:
        status = run(sys.argv[1:] if arguments is None else arguments)
        interrupts.end_work()
    except KeyboardInterrupt:
        status = interrupts.STOPPED
    except SystemExit as ended:  # cyclopts makes it of an interrupt; commands of plugins may raise it
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    status = _last_line(_possible(status))
    standard_streams.flush()
    interrupts.leave(status)


def run(arguments: list[str]) -> int:
    """Run ``lpa`` with these arguments and answer its exit status."""
    show_every_character()
    raise_limit_of_files()
    reach_loopback_directly()
    plugins: PluginManager | None = None
    try:
        diagnosis = arguments[:1] and arguments[0] in _DIAGNOSES
        settings = _undemanding() if diagnosis else load()
        logs.configure(settings.lpa.log_format, settings.lpa.log_level)
        plugins = PluginManager(settings, demanding=not diagnosis)
        app = build_app(settings, plugins)
        interrupts.begin_work()
        outcome = _called(app, arguments)
        sys.stdout.flush()
    except LpaError as error:
        at_fault = plugins.culprit(error) if plugins and isinstance(error, ContractError) else None
        interrupts.last_word(partial(_tell_error, error, at_fault.named if at_fault else ""))
        return interrupts.STOPPED if interrupts.requested() else error.exit_status
    except (Exception, SystemExit) as error:  # a person gets a line, and the trace only when asked for
        at_fault = plugins.culprit(error) if plugins else None
        if isinstance(error, SystemExit) and (at_fault is None or at_fault.hook == COMMANDS):
            raise
        structlog.get_logger("lpa").debug("unexpected error", exception=traceback.format_exc())
        if interrupts.requested():  # a library in C may make anything of KeyboardInterrupt
            return interrupts.STOPPED
        interrupts.last_word(partial(_tell, _unexpected(error, at_fault)))
        return interrupts.STOPPED if interrupts.requested() else 1
    return outcome if isinstance(outcome, int) else 0


def _possible(status: int) -> int:
    """The status, or 1 for one that no process can end with: the system would keep its last eight bits."""
    if 0 <= status <= _LARGEST_STATUS:
        return status
    _tell(f"the command answered {status}: an exit status is 0 to {_LARGEST_STATUS}")
    return 1


def _last_line(status: int) -> int:
    """The status of the process whose command ended with this one, and a line if it was stopped or not printed."""
    if status == interrupts.STOPPED or interrupts.interrupted():
        interrupts.last_word(partial(_tell, interrupts.ADVICE))
        return interrupts.STOPPED
    lost = standard_streams.lost_output()
    if lost is not None:
        _tell(f"standard output: {lost.strerror}: what was printed is not whole")
    return status or (0 if lost is None else 1)


def _undemanding() -> Settings:
    """What is usable of the settings; no plugin is required."""
    settings = usable(os.environ, SettingsFile.read(Path(SETTINGS_FILE)))
    return attrs.evolve(settings, lpa=attrs.evolve(settings.lpa, plugins_required=()))


def _tell(*problems: object) -> None:
    """Say on standard error why the command ends: a line for each problem, whatever characters are in it."""
    for number, problem in enumerate(problems):
        console(stderr=True).print(plain(problem if number else f"lpa: {problem}"), soft_wrap=True)


def _tell_error(error: LpaError, at_fault: str) -> None:
    problems = [*map(str, error.args)] if len(error.args) > 1 else [str(error)]
    problems[0] = f"{at_fault}{problems[0]}"
    problems[-1] += _want_of_files(error)
    _tell(*problems)


def _called(app: cyclopts.App, arguments: list[str]) -> Any:
    """What the command returns. Raises UsageError if it cannot be called like this, and whatever it raises."""
    try:
        return app(arguments, exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        what = unknown_command(app, error) or missing_argument(app, error) or surplus_argument(app, error)
        what = what or " ".join(str(error).split()).rstrip(".")
        command = " ".join(("lpa", *(error.command_chain or ())))
        raise UsageError(f"{what}; see {command} --help") from None


def _unexpected(error: BaseException, at_fault: Culprit | None) -> str:
    """What the machine lacks, or else whose fault it is."""
    reason = _of_the_system(error)
    if reason:
        return f"{at_fault.named if at_fault else ''}{reason}"
    if at_fault is not None:
        package = at_fault.plugin.package
        return (
            f"{at_fault.named}{at_fault.function} raised {one_line(error)}; report it to the authors of {package} with "
            f"the lines that LPA_LOG_LEVEL=debug prints, or set LPA_PLUGINS_DISABLED={at_fault.plugin.name}"
        )
    return (
        f"unexpected {one_line(error)}; this is a fault in lpa: please report it with the lines that "
        "LPA_LOG_LEVEL=debug prints"
    )


def _of_the_system(error: BaseException) -> str:
    """What the machine lacks or does not allow, where that is why; else empty: it is a fault of ours."""
    if isinstance(error, OSError) and error.errno is not None and has_advice(error.errno):
        return f"{error.filename}: {explained(error.errno)}" if error.filename else explained(error.errno)
    # Whatever cannot be opened may be told as missing, such as a module.
    return explained(errno.EMFILE) if out_of_files() else ""


def _want_of_files(error: Exception) -> str:
    """An addition to what was said, if no file or connection could be opened."""
    if "ulimit" in str(error) or not (number_in(str(error)) == errno.EMFILE or out_of_files()):
        return ""
    return f" ({explained(errno.EMFILE)})"
