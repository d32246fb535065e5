"""``lpa plugins new`` and ``lpa plugins check``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from lpa_core.cli import run
from lpa_core.commands.plugin_check import checked_plugins
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings

Install = Callable[..., EntryPoint]


@pytest.fixture(autouse=True)
def _plain_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LPA_LOG_LEVEL", "error")


@pytest.mark.slow
def test_a_new_plugin_is_a_package_whose_tests_pass_and_that_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["plugins", "new", "rack-heat"]) == 0
    root = tmp_path / "lpa-rack-heat"
    printed = capsys.readouterr().out
    assert "lpa plugins check rack-heat" in " ".join(printed.split())
    assert all(str(Path("lpa-rack-heat") / name) in printed for name in ("pyproject.toml", "tests/test_events.py"))
    path = os.pathsep.join(filter(None, [str(root / "src"), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "."]
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout

    monkeypatch.syspath_prepend(root / "src")
    plugins = PluginManager(Settings(), [EntryPoint("rack-heat", "lpa_rack_heat.plugin", "lpa")])
    assert plugins.plugins[0].problem == ""
    assert [each.name for each in plugins.event_types()] == ["rack_heat_reading"]
    (checked,) = checked_plugins(plugins)
    assert (checked.problems, checked.warnings) == ([], [])
    assert set(checked.seconds) == {"import", "lpa_event_types"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Rack", "lpa: 'Rack' cannot name a plugin: use lower-case letters"),
        ("../rack", "lpa: '../rack' cannot name a plugin: use lower-case letters"),
        ("core", "lpa: there is a plugin core already: choose another name"),
        ("there", "lpa: lpa-there is there already: choose another name, or another --folder"),
    ],
)
def test_failure_30_a_name_that_cannot_be_is_refused_and_nothing_is_written(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lpa-there").mkdir()
    assert run(["plugins", "new", name]) == 2
    assert capsys.readouterr().err.startswith(said)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("lpa-")] == ["lpa-there"]


def checked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = run(["plugins", "check", "--json", *arguments])
    return status, {each["plugin"]: each for each in json.loads(capsys.readouterr().out)}


START = "from lpa_core.plugin import Column, EventType, Kind, hookimpl, typed_table\nimport time\n"
WELL = START + "@hookimpl\ndef lpa_sinks(): return {}\n"
FAULTS = {
    "broken": ("@hookimpl\ndef lpa_sinks(): return []", "lpa_sinks returned a list"),
    "validator": (
        "def wrong(document): return document.value('data.stream_id').upper() and None\n"
        "@hookimpl\ndef lpa_validators(): return [wrong]",
        "validator wrong raised AttributeError: ",
    ),
    "own validator": (
        "def wrong(document): return True\n"
        "TABLE = typed_table('own', Column('a', Kind.TEXT, at='a'), order_by=())\n"
        "@hookimpl\ndef lpa_event_types(): return [EventType('own', tables=(TABLE,), validators=[wrong])]",
        "validator wrong of event type own returned a bool: it must return None or a Failure",
    ),
    "classifier": (
        "@hookimpl\ndef lpa_classify_failure(failure, payload): return payload.decode() and None",
        "lpa_classify_failure raised AttributeError: ",
    ),
    "transform that raises": (
        "import json\ndef wrong(record): return json.dumps(json.loads(record.payload)['k']).encode()\n"
        "@hookimpl\ndef lpa_replay_transforms(): return [wrong]",
        "transform wrong raised ",
    ),
    "transform that answers no bytes": (
        "def wrong(record): return record.failure_reason == 'missing_field'\n"
        "@hookimpl\ndef lpa_replay_transforms(): return [wrong]",
        "transform wrong returned a bool: it must return bytes or None; at ",
    ),
}


@pytest.mark.parametrize(("source", "problem"), FAULTS.values(), ids=FAULTS.keys())
def test_failure_30_a_check_finds_what_is_wrong_before_an_event_does(
    source: str, problem: str, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("lpa-bad", START + source, plugin="bad")
    install("lpa-well", WELL, plugin="well")
    status, found = checked(capsys)
    assert status == 1
    assert found["well"]["problems"] == []
    (told,) = found["bad"]["problems"]
    assert problem in told
    assert "\n" not in told
    assert run(["plugins", "check", "bad"]) == 1
    assert "broken: " in capsys.readouterr().out
    assert checked(capsys, "well")[0] == 0


RACKS = """
def in_turn(document):
    return None if document.value("data.rack").startswith("a") and document.value("data.watts") > 1 else wrong
def wants_more(document): return None if document.value("data.load")["cpu"] else wrong
TABLE = typed_table("racks", Column("rack", Kind.TEXT, at="rack"), Column("watts", Kind.FLOAT32, at="watts"),
    Column("jitter", Kind.FLOAT32, at="stats.tracks[type=video].jitter"),
    Column("names", Kind.TEXT, at="gpus[].name"), order_by=())
@hookimpl
def lpa_event_types():
    return [EventType("racks", required=("data.rack",), tables=(TABLE,), validators=[VALIDATOR])]
"""


def test_failure_30_the_validator_of_a_type_is_asked_about_events_of_that_type_alone(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("lpa-well", START + RACKS.replace("VALIDATOR", "in_turn"), plugin="well")
    status, found = checked(capsys, "well")
    assert (status, found["well"]["problems"], found["well"]["warnings"]) == (0, [], [])
    # What it expects beyond the declaration may be there in every event.
    install("lpa-more", START + RACKS.replace("VALIDATOR", "wants_more").replace("racks", "more"), plugin="more")
    status, found = checked(capsys, "more")
    assert (status, found["more"]["problems"]) == (0, [])
    (told,) = found["more"]["warnings"]
    assert told.startswith("validator wants_more of event type more raised TypeError: ")


def test_failure_30_a_hook_that_takes_long_is_named_with_its_seconds(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("lpa-slow", START + "@hookimpl\ndef lpa_sinks():\n    time.sleep(0.6)\n    return {}\n", plugin="slow")
    status, found = checked(capsys, "slow")
    assert status == 0
    assert found["slow"]["seconds"]["lpa_sinks"] >= 0.6
    (told,) = found["slow"]["warnings"]
    assert re.fullmatch(r"lpa_sinks takes \d+\.\d s: import and connect later", told)


def test_a_plugin_that_is_not_there_cannot_be_checked(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("lpa-well", WELL, plugin="well")
    assert run(["plugins", "check", "core"]) == 2
    assert capsys.readouterr().err == "lpa: there is no plugin core to check: there are well\n"
