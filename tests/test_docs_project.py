"""README, AGENTS, CONTRIBUTING, SECURITY and CHANGELOG name files, sessions, commands and settings that exist."""

import ast
import re
from pathlib import Path

import pytest
from services.help_texts import help_texts

from lpa_core.release import RELEASES
from lpa_core.settings.loading import described

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "AGENTS.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def _page(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_what_exists(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", _page(name))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_files_that_a_contributor_is_sent_to_exist() -> None:
    named = re.findall(r"`([\w.-]+/[\w./*-]*)`", _page("CONTRIBUTING.md"))
    assert len(named) > 20
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []


def test_modules_that_a_contributor_is_sent_to_exist() -> None:
    named = re.findall(r"`(lpa_core(?:\.\w+)+)`", _page("CONTRIBUTING.md"))
    assert named
    source = ROOT / "packages" / "lpa-core" / "src"
    assert [name for name in named if not list(source.glob(f"{name.replace('.', '/')}*"))] == []


def test_every_session_is_explained_and_no_other() -> None:
    noxfile = ast.parse(_page("noxfile.py"))
    sessions = {
        function.name
        for function in noxfile.body
        if isinstance(function, ast.FunctionDef)
        and any("nox.session" in ast.unparse(each) for each in function.decorator_list)
    }
    assert sorted(re.findall(r"^\| `\./dev (\w+)`", _page("CONTRIBUTING.md"), re.MULTILINE)) == sorted(sessions)


@pytest.mark.parametrize("name", PAGES)
def test_commands_and_settings_are_those_of_lpa(name: str) -> None:
    assert set(re.findall(r"`(lpa [a-z-]+(?: [a-z-]+)?)", _page(name))) - help_texts().keys() == set()
    variables = set(re.findall(r"`((?:LPA|QUALITY|CLICKHOUSE|HEALTH|REPLAY|LIFECYCLE)_[A-Z_]*[A-Z])`", _page(name)))
    assert variables - {setting.variable for setting in described()} - {"LPA_KAFKA_SASL_PASSWORD"} == set()


def test_every_release_is_told_with_its_day() -> None:
    told = re.findall(r"^## ([\d.]+) - (\S+)$", _page("CHANGELOG.md"), re.MULTILINE)
    assert told == [(version, f"{day:%Y-%m-%d}") for version, day in reversed(RELEASES.items())]
