"""A pytest plugin: a JUnit report says of which commit it is, and what left tests out of the run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.junitxml import xml_key

from lpa_ops.release.junit import COMMIT, NARROWED

_WHOLE = ("not integration and not chaos and not soak", "integration or chaos", "integration", "chaos")
"""Marker expressions of the sessions of ./dev: no test of theirs is left out."""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    report = session.config.stash.get(xml_key, None)
    if report is None:
        return
    report.add_global_property(NARROWED, ", ".join(_narrowed(session, exitstatus)))
    report.add_global_property(COMMIT, _commit(session.config.rootpath))


def _narrowed(session: pytest.Session, exitstatus: int) -> Iterator[str]:
    """What leaves tests out that the report itself cannot miss, such as some of a function's parameters."""
    config = session.config
    if keyword := config.getoption("keyword"):
        yield f"-k {keyword}"
    if (markers := config.getoption("markexpr")) and markers not in _WHOLE:
        yield f"-m {markers}"
    for option in ("deselect", "ignore", "ignore_glob"):
        for value in config.getoption(option) or ():
            yield f"--{option.replace('_', '-')} {value}"
    for option in ("lf", "stepwise"):
        if config.getoption(option, default=False):
            yield f"--{option}"
    yield from (argument for argument in config.args if "::" in argument)
    if session.shouldstop or session.shouldfail or exitstatus == pytest.ExitCode.INTERRUPTED:
        yield "an early end"


def _commit(root: Path) -> str:
    """Empty if there is no repository, or no git."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
