"""Every exception class of the five packages belongs to the family of lpa_core.errors, and says its exit status."""

from __future__ import annotations

import gc
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from lpa_core.cli import run
from lpa_core.errors import ConfigurationError, JobFailed, LpaError, Unavailable, UsageError
from lpa_core.sinks.sink import SinkMisconfigured

PACKAGES: Final = ("lpa_core", "lpa_sinks", "lpa_replay", "lpa_flink", "lpa_ops")
BRANCHES: Final = (UsageError, ConfigurationError, Unavailable, JobFailed)
ENDINGS: Final = ("Error", "Unavailable", "Refused")
OLDER: Final = {"CommandFailed", "NotApplicable", "SinkMisconfigured"}
"""Plugins raise them; no new name is added here."""

STATUSES: Final = {
    "AddressRefused": 2,
    "AdminError": 2,
    "ContractError": 2,
    "DamagedClaimsError": 2,
    "DamagedDatabaseError": 2,
    "DedupStoreError": 2,
    "FlinkAddressError": 2,
    "FlinkBeginningError": 2,
    "FlinkInstallationError": 2,
    "FlinkJarError": 2,
    "FlinkJobError": 2,
    "FlinkLoopbackError": 2,
    "ForbiddenError": 2,
    "FrameError": 2,
    "BrokerError": 2,
    "JavaClientError": 2,
    "LostClaimsError": 2,
    "MigrationError": 2,
    "PluginError": 2,
    "ReplayRefused": 2,
    "ReadRefused": 2,
    "RequestRefused": 2,
    "EventTypesError": 2,
    "ServeError": 2,
    "SettingsError": 2,
    "SinkMisconfigured": 2,
    "StopRefused": 2,
    "TapRefused": 2,
    "AbandonedError": 1,
    "ArchiveError": 1,
    "BackupError": 1,
    "CannotJudgeError": 1,
    "CheckpointError": 1,
    "CommandFailed": 1,
    "CommitUncertainError": 1,
    "DamagedFileError": 1,
    "DamagedManifestError": 1,
    "DamagedMetadataError": 1,
    "DedupStoreUnavailable": 1,
    "DerivationOvertakenError": 1,
    "FencedError": 1,
    "FlinkClusterError": 1,
    "FlinkError": 1,
    "FlinkNotFoundError": 1,
    "FlinkStateError": 1,
    "FlinkUnavailable": 1,
    "InexplicableError": 1,
    "InputUnavailable": 1,
    "BrokerUnavailable": 1,
    "MismatchError": 1,
    "MissingDatabaseError": 1,
    "NewPluginError": 1,
    "NoFlinkJobError": 1,
    "NotAnObjectError": 1,
    "NotApplicable": 1,
    "NotClickHouseError": 1,
    "OffsetsGoneError": 1,
    "PartitionStoppedError": 1,
    "PluginRaisedError": 1,
    "RecoveryError": 1,
    "RecoveryOvertakenError": 1,
    "RejectLimitError": 1,
    "CanaryFailedError": 1,
    "ReplayError": 1,
    "SubmissionRefused": 1,
    "RowsRefused": 1,
    "SamplesError": 1,
    "SavepointError": 1,
    "SinkUnavailable": 1,
    "SourceError": 1,
    "TakenOverError": 1,
    "UnreadableTouchError": 1,
    "WrongAnswerError": 1,
    "WrongVerdictError": 1,
    "WrongClockError": 1,
}


@cache
def modules() -> tuple[str, ...]:
    """The names of all modules of the five packages, each imported."""
    found: list[str] = []
    for package in PACKAGES:
        folder = importlib.import_module(package).__path__
        found += [package, *(each.name for each in pkgutil.walk_packages(folder, f"{package}."))]
    for name in (names := [each for each in found if not each.endswith("__main__")]):
        importlib.import_module(name)
    return tuple(names)


def exceptions() -> list[type[Exception]]:
    """Each exception class that a module of ours defines, wherever in it."""
    modules()
    return [each for each in set(_below(Exception)) if each.__module__.partition(".")[0] in PACKAGES]


def _below(parent: type[Exception]) -> Iterator[type[Exception]]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)


def errors() -> list[type[Exception]]:
    """Those that are not private to a module, and not the family's own."""
    return [each for each in exceptions() if not each.__name__.startswith("_") and each not in (LpaError, *BRANCHES)]


def faults(kind: type[Exception]) -> list[str]:
    """What of the rules in lpa_core.errors a class does not keep."""
    name, found = kind.__name__, []
    if not issubclass(kind, LpaError):
        found.append("is no LpaError")
    if sum(issubclass(kind, branch) for branch in BRANCHES) != 1:
        found.append("is not of exactly one branch")
    if not name.endswith(ENDINGS) and name not in OLDER:
        found.append(f"ends in none of {', '.join(ENDINGS)}")
    if name.endswith("Unavailable") is not issubclass(kind, Unavailable):
        found.append("is named Unavailable and is not, or the other way round")
    if name.endswith("Refused") and issubclass(kind, (ConfigurationError, Unavailable)):
        found.append("is named Refused, and nobody asked for anything")
    return found


def test_every_exception_is_of_one_branch_and_named_by_the_rule() -> None:
    assert {kind.__qualname__: found for kind in errors() if (found := faults(kind))} == {}


def test_every_exception_has_the_exit_status_of_the_table() -> None:
    told = {kind.__name__: kind.exit_status for kind in errors() if issubclass(kind, LpaError)}
    assert told == STATUSES


@pytest.mark.parametrize(
    ("name", "bases", "fault"),
    [
        ("StrayError", (ValueError,), "is no LpaError"),
        ("StrayError", (LpaError,), "is not of exactly one branch"),
        ("StrayError", (UsageError, JobFailed), "is not of exactly one branch"),
        ("StrayProblem", (JobFailed,), "ends in none of Error, Unavailable, Refused"),
        ("StrayUnavailable", (JobFailed,), "is named Unavailable and is not, or the other way round"),
        ("StrayError", (Unavailable,), "is named Unavailable and is not, or the other way round"),
        ("StrayRefused", (ConfigurationError,), "is named Refused, and nobody asked for anything"),
    ],
)
def test_a_class_that_breaks_a_rule_is_found(name: str, bases: tuple[type[Exception], ...], fault: str) -> None:
    stray = type(name, bases, {"__module__": "lpa_sinks.stray"})
    try:
        assert [faults(each) for each in errors() if each.__name__ == name] == [faults(stray)]
        assert fault in faults(stray)
    finally:
        del stray
        gc.collect()  # the other tests look at every class there is


def test_a_private_exception_is_caught_where_it_is_raised_and_used_nowhere_else() -> None:
    texts = {name: Path(inspect.getsourcefile(sys.modules[name]) or "").read_text("utf-8") for name in modules()}
    private = [each for each in exceptions() if each.__name__.startswith("_")]
    assert private
    for kind in private:
        word = re.compile(rf"\b{kind.__name__}\b")
        assert [name for name, text in texts.items() if word.search(text)] == [kind.__module__]
        assert re.search(rf"except .*\b{kind.__name__}\b", texts[kind.__module__])


@pytest.mark.parametrize("kind", [*BRANCHES, SinkMisconfigured])
def test_the_command_line_tells_the_message_and_the_remedy_and_ends_with_the_status_of_the_class(
    kind: type[LpaError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise kind("the disk [red] is full", remedy="make room")

    monkeypatch.setattr("lpa_core.cli.load", fail)
    assert run(["plugins"]) == kind.exit_status
    assert capsys.readouterr().err == "lpa: the disk [red] is full: make room\n"


def test_an_error_without_a_remedy_is_its_message() -> None:
    assert str(JobFailed("it is over")) == "it is over"
    assert str(JobFailed("it is over", remedy="begin again")) == "it is over: begin again"
    assert JobFailed("it is over").remedy == ""
