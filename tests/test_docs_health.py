"""docs/operations: the health checks there are, commands that run, and links that lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from services.preloaded import preloaded_lpa

from lpa_core.cli import build_app
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import described
from lpa_core.settings.settings import Settings
from lpa_flink.health_check import CHECK as FLINK_JOB
from lpa_ops.health.checks import CHECKS as BUILTIN_CHECKS
from lpa_ops.release import GATES
from lpa_ops.release.notes import SECTIONS

CHECKS = (*BUILTIN_CHECKS, FLINK_JOB)
ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "operations"
PAGES = ("README", "alerts", "FLINK_DEPLOYMENT", "health", "../quality/DATA_QUALITY", "release")
"""Those that this module is about."""
BLOCK = re.compile(r"^```sh ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text()


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def commands(name: str, title: str) -> list[str]:
    blocks = [text for found, text in BLOCK.findall(page(name)) if found == title]
    return [line for block in blocks for line in block.splitlines()]


def test_every_check_is_documented_as_it_is_and_no_other() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\((#[\w-]+)\) \| (.+?) \| (\w+) \|", page("health"), re.MULTILINE)
    assert rows == [
        (each.name, each.runbook.removeprefix("docs/operations/health.md"), each.title, each.unit) for each in CHECKS
    ]


def test_every_check_has_a_runbook_that_says_what_to_do() -> None:
    sections = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", page("health"), re.MULTILINE))
    written = {anchor(heading): text for heading, text in sections.items()}
    for check in CHECKS:
        path, _, name = check.runbook.partition("#")
        assert ROOT / path == FOLDER / "health.md"
        assert len(written[name].split()) > 20, name


def test_the_thresholds_named_are_settings_and_all_of_them() -> None:
    known = {setting.variable for setting in described() if setting.option.startswith("health.")}
    named = set(re.findall(r"`(HEALTH_\w+)`", page("health")))
    assert named == known - {"HEALTH_WINDOW_HOURS"}, "that one is in the help of --since"


def test_every_gate_is_documented_as_it_is_and_no_other() -> None:
    assert re.findall(r"^\| \[(\w+)\]\(#\1\) \|", page("release"), re.MULTILINE) == [gate.name for gate in GATES]
    headings = [heading.lower() for heading in re.findall(r"^## (.+)$", page("release"), re.MULTILINE)]
    assert headings == [gate.name for gate in GATES]
    assert ", ".join(SECTIONS[:-1]) + f" and {SECTIONS[-1]}" in page("release")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAGES if "```sh run" in page(name)])
def test_commands_run_in_their_order_in_an_empty_folder(name: str, tmp_path: Path) -> None:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("HEALTH_", "LPA_", "QUALITY_"))
    }
    environment["PATH"] = f"{preloaded_lpa().parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    # What the machine of a test has of free space, and how loaded it is, says nothing about the page.
    environment |= {"HEALTH_CHECKS_DISABLED": "disk", "HEALTH_TIMEOUT_SECONDS": "60"}
    for command in commands(name, "run"):
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


@pytest.mark.slow
def test_the_command_for_alerts_runs() -> None:
    for command in commands("alerts", "promtool"):
        assert shutil.which("promtool")
        subprocess.run(shlex.split(command), cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("name", PAGES)
def test_commands_of_lpa_are_commands(name: str) -> None:
    settings = Settings()
    app = build_app(settings, PluginManager(settings))
    for command in commands(name, ""):
        words = shlex.split(command.partition(" < ")[0])
        if words[:4] == ["docker", "compose", "run", "--rm"]:
            app.parse_args(words[5:], exit_on_error=False, print_error=False)
        elif words[0] == "lpa":
            app.parse_args(words[1:], exit_on_error=False, print_error=False)
        else:
            assert words[0] in ("curl", "python", "./dev"), command


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_pages_and_sections_that_exist(name: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page(name)):
        path, _, section = link.partition("#")
        of = FOLDER / f"{name}.md"
        target = (of.parent / path).resolve() if path else of
        assert target.exists(), f"{name}.md: {link}"
        if section:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert section in {anchor(heading) for heading in headings}, f"{name}.md: {link}"
