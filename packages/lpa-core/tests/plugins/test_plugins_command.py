"""``lpa plugins``, and what a broken plugin does to the ``lpa`` command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from lpa_core.cli import run

Install = Callable[..., EntryPoint]

WELL = "from lpa_core.plugins.hookspecs import hookimpl\n@hookimpl\ndef lpa_sinks(): return {'own': print}\n"
BROKEN = "import no_such_module\n"
PROBLEM = "ModuleNotFoundError: No module named 'no_such_module'"


@pytest.fixture(autouse=True)
def _plain_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for variable in ("LPA_PLUGINS_DISABLED", "LPA_PLUGINS_REQUIRED", "LPA_LOG_LEVEL", "LPA_LOG_FORMAT"):
        monkeypatch.delenv(variable, raising=False)


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    assert run(["plugins", "--json"]) == 0
    return {plugin["name"]: plugin for plugin in json.loads(capsys.readouterr().out)}


def test_json_tells_of_each_plugin_what_it_is_and_how_it_fares(
    install: Install, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("lpa-well", WELL, plugin="well", version="1.2")
    install("lpa-bad", BROKEN, plugin="bad", version="0.1")
    install("lpa-off", WELL, plugin="off", version="3")
    monkeypatch.setenv("LPA_PLUGINS_DISABLED", "off")
    plugins = listed(capsys)
    assert plugins["well"] == {
        "name": "well",
        "package": "lpa-well",
        "version": "1.2",
        "hooks": ["lpa_sinks"],
        "disabled": False,
        "problem": "",
    }
    assert plugins["bad"]["problem"] == PROBLEM
    assert (plugins["off"]["disabled"], plugins["off"]["hooks"]) == (True, [])
    assert plugins["core"]["package"] == "lpa-core"
    assert "lpa_event_types" in plugins["core"]["hooks"]


def test_the_table_has_a_row_for_each(
    install: Install, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("lpa-well", WELL, plugin="well", version="1.2")
    install("lpa-bad", BROKEN, plugin="bad", version="0.1")
    install("lpa-off", WELL, plugin="off", version="3")
    monkeypatch.setenv("LPA_PLUGINS_DISABLED", "off")
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["plugins"]) == 0
    rows = [re.split(r"  +", line.rstrip()) for line in capsys.readouterr().out.splitlines()]
    assert ["well", "lpa-well", "1.2", "loaded", "lpa_sinks"] in rows
    assert ["bad", "lpa-bad", "0.1", f"broken: {PROBLEM}"] in rows
    assert ["off", "lpa-off", "3", "disabled"] in rows


def test_a_broken_plugin_is_named_on_standard_error_and_the_command_runs(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("lpa-bad", BROKEN, plugin="bad")
    assert run(["plugins"]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if '"bad"' in line]
    warning = json.loads(line)
    assert (warning["level"], warning["package"], warning["problem"]) == ("warning", "lpa-bad", PROBLEM)
    assert warning["remedy"] == "correct or remove lpa-bad, or set LPA_PLUGINS_DISABLED=bad"


@pytest.mark.parametrize(
    ("required", "said"),
    [
        (
            "bad",
            f"lpa: plugin bad of lpa-bad is required but broken: {PROBLEM}; "
            "correct lpa-bad, or take bad out of LPA_PLUGINS_REQUIRED",
        ),
        ("absent", "lpa: plugin absent is required but not loaded: install its package, or enable it"),
    ],
)
def test_a_required_plugin_that_is_broken_or_absent_is_the_end_with_status_2(
    required: str, said: str, install: Install, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("lpa-bad", BROKEN, plugin="bad")
    monkeypatch.setenv("LPA_PLUGINS_REQUIRED", required)
    assert run(["plugins"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [line for line in printed.err.splitlines() if not line.startswith("{")] == [said]
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(("source", "status"), [("return 3", 3), ("return None", 0), ("return 'text'", 0)])
def test_a_command_of_a_plugin_runs_and_its_answer_is_the_exit_status(
    source: str, status: int, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(
        "commander",
        f"""
        import cyclopts
        from lpa_core.plugins.hookspecs import hookimpl

        greet = cyclopts.App(name="greet")

        @greet.default
        def command(name: str) -> object:
            print("hello", name)
            {source}

        @hookimpl
        def lpa_cli_commands(settings):
            return [greet]
        """,
    )
    assert run(["greet", "you"]) == status
    assert capsys.readouterr().out == "hello you\n"


def test_failure_30_what_a_plugin_prints_when_it_is_loaded_is_not_in_the_output(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "print('hello')\n" + WELL.replace("return", "print('again'); return")
    install("lpa-loud", source, plugin="loud")
    assert run(["plugins", "--json"]) == 0
    printed = capsys.readouterr()
    assert "loud" in [plugin["name"] for plugin in json.loads(printed.out)]
    assert printed.err.split() == ["hello", "again"]
