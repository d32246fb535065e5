"""The ``lpa`` command: built-in commands, and those that plugins contribute."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import Any, Final

import attrs
import cyclopts
import structlog

from lpa_core import logs
from lpa_core.commands.config import config
from lpa_core.commands.doctor import doctor
from lpa_core.commands.generate import generate_app
from lpa_core.commands.ingest import ingest
from lpa_core.commands.output import abandon_output, console, flush_output, make_streams_safe, plain
from lpa_core.commands.plugins import plugins_app
from lpa_core.commands.topics import topics_app
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

_DIAGNOSES: Final = ("config", "doctor")
"""Commands that say what is wrong with the settings and plugins, and so have to run with any."""


def build_app(settings: Settings, plugins: PluginManager) -> cyclopts.App:
    app = cyclopts.App(
        name="lpa",
        help="Streaming ingestion for live-AI telemetry: every event once, none lost, bad ones kept with the reason.",
        version_flags=["--version"],
        result_action="return_value",
    )
    app.command(ingest(settings, plugins), name="ingest")
    app.command(config(plugins), name="config")
    app.command(doctor(settings, plugins), name="doctor")
    app.command(plugins_app(plugins))
    app.command(generate_app)
    app.command(topics_app(plugins.context))
    plugins.add_commands(app)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run ``lpa`` and exit: 0 done, 1 the check or job failed, 2 wrong usage or configuration."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run ``lpa`` with these arguments and answer its exit status."""
    make_streams_safe()
    raise_limit_of_files()
    reach_loopback_directly()
    plugins: PluginManager | None = None
    try:
        settings = _undemanding() if arguments[:1] and arguments[0] in _DIAGNOSES else load()
        logs.configure(settings.lpa.log_format, settings.lpa.log_level)
        plugins = PluginManager(settings)
        outcome = _called(build_app(settings, plugins), arguments)
        flush_output()
    except LpaError as error:
        at_fault = plugins.culprit(error) if plugins and isinstance(error, ContractError) else None
        _tell(f"{at_fault.named if at_fault else ''}{error}{_want_of_files(error)}")
        return error.exit_status
    except KeyboardInterrupt:
        _tell("stopped; run the same command again to go on")
        return 130
    except BrokenPipeError:
        abandon_output()
        return 1
    except (Exception, SystemExit) as error:  # a person gets a line, and the trace only when asked for
        at_fault = plugins.culprit(error) if plugins else None
        if isinstance(error, SystemExit) and (at_fault is None or at_fault.hook == COMMANDS):
            raise
        structlog.get_logger("lpa").debug("unexpected error", exception=traceback.format_exc())
        _tell(_unexpected(error, at_fault))
        return 1
    return outcome if isinstance(outcome, int) else 0


def _undemanding() -> Settings:
    """What is usable of the settings; no plugin is required."""
    settings = usable(os.environ, SettingsFile.read(Path(SETTINGS_FILE)))
    return attrs.evolve(settings, lpa=attrs.evolve(settings.lpa, plugins_required=()))


def _tell(what: str) -> None:
    """Say on standard error why the command ends."""
    for line in f"lpa: {what}".split("\n"):
        console(stderr=True).print(plain(line), soft_wrap=True)


def _called(app: cyclopts.App, arguments: list[str]) -> Any:
    """What the command returns. Raises UsageError if it cannot be called like this, and whatever it raises."""
    try:
        return app(arguments, exit_on_error=False, print_error=False)
    except cyclopts.CycloptsError as error:
        what = unknown_command(app, error) or " ".join(str(error).split()).rstrip(".")
        command = " ".join(("lpa", *(error.command_chain or ())))
        raise UsageError(f"{what}; see {command} --help") from None


def _unexpected(error: BaseException, at_fault: Culprit | None) -> str:
    """What the machine lacks, or else whose fault it is."""
    reason = _of_the_system(error)
    if reason:
        return reason
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
