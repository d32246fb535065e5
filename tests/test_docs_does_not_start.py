"""docs/operations/does-not-start.md: its commands run, and its table has every start check."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lpa_core.cli import run
from lpa_core.doctor.start_check import PlannedStart
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_core.start_checks import start_checks

PAGE = (Path(__file__).parents[1] / "docs" / "operations" / "does-not-start.md").read_text()
COMMANDS = [
    line.partition("#")[0].strip()
    for block in re.findall(r"^```sh\n((?:.*\n)*?)^```$", PAGE, re.MULTILINE)
    for line in block.splitlines()
]


def test_every_start_check_is_there_and_no_other() -> None:
    settings = Settings()
    start = PlannedStart(settings, None, ("chdb://./a", "clickhouse://b"), "memory://", "c", kafka=True, event_types=())
    plugins = PluginManager(settings)
    names = [check.name for check in (*start_checks(plugins), *plugins.start_checks(start))]
    assert sorted(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == sorted(names)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Servers are not there: then it ends with 1, and says so."""
    monkeypatch.chdir(tmp_path)
    Path("events.ndjson").write_text("{}\n")
    words = shlex.split(command)
    assert words[0] == "lpa"
    assert run(words[1:]) in (0, 1)
    printed = capsys.readouterr()
    assert ("doctor: " if words[1] == "doctor" else "default: ") in printed.out
    assert printed.err == "" or "lpa:" not in printed.err
