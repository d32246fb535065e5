"""The example plugin: its README against its files, and the README's commands in a clean environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uv

from lpa_core.settings.loading import described

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "lpa-example-plugin"


class Block(NamedTuple):
    language: str
    title: str
    text: str


FENCED = re.compile(r"^```(\w+) ?(.*)\n((?:.*\n)*?)^```$", re.MULTILINE)
README = [Block(*found) for found in FENCED.findall((EXAMPLE / "README.md").read_text())]


SETTINGS = {setting.variable for setting in described()}


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    plain = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    done = subprocess.run(
        command, cwd=folder, env={**plain, **(environment or {})}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command} failed: {done.stderr}"
    return done.stdout


class CleanEnvironment(NamedTuple):
    folder: Path
    """Holds the events, and what is made of them."""
    bin: Path

    def shell(self, script: str) -> str:
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return run(["sh", "-euc", script], self.folder, {"PATH": path, "COLUMNS": "80", "LPA_LOG_LEVEL": "error"})


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> CleanEnvironment:
    """What the README's installation gives, with the locked versions, and uv for pip: it has them in its cache."""
    scratch = tmp_path_factory.mktemp("example")
    options = "--quiet --frozen --all-packages --all-extras --no-default-groups --no-hashes --no-emit-workspace"
    exported = run([uv.find_uv_bin(), "export", *options.split()], ROOT)
    (scratch / "locked.txt").write_text(exported)
    (script,) = [block.text for block in README if block.title == "install"]
    target = str(scratch / "my-env")
    uv_command = f"{uv.find_uv_bin()} pip install --quiet --python {target} --constraint {scratch / 'locked.txt'}"
    script = script.replace("my-env/bin/pip install", uv_command)
    script = script.replace(
        "python3 -m venv my-env", f"{uv.find_uv_bin()} venv --quiet --python {sys.executable} {target}"
    )
    run(["sh", "-euc", script], ROOT)
    folder = scratch / "work"
    folder.mkdir()
    (folder / "events.ndjson").write_bytes((EXAMPLE / "events.ndjson").read_bytes())
    return CleanEnvironment(folder, Path(target) / "bin")


def test_the_readme_shows_the_files_as_they_are_and_leaves_none_out() -> None:
    shown = {block.title: block.text for block in README if "." in block.title}
    for name, text in shown.items():
        assert text == (EXAMPLE / name).read_text(), f"{name} and what the README shows of it differ"
    modules = {str(path.relative_to(EXAMPLE)) for path in EXAMPLE.glob("src/*/[!_]*.py")}
    assert set(shown) >= modules | {"pyproject.toml", "events.ndjson"}


def test_the_commands_of_the_readme_give_what_it_shows(clean: CleanEnvironment) -> None:
    expected = iter([*README[1:], Block("", "", "")])
    for block, following in zip(README, expected, strict=True):
        if block.title == "run":
            given = clean.shell(block.text)
            if following.language == "text":
                assert following.text
                assert timeless(given).endswith(timeless(following.text))


def timeless(text: str) -> str:
    """Without what differs from run to run, and without blanks at the ends of lines."""
    text = re.sub(r'"ingestion_timestamp":\d+', "", text)
    text = re.sub(r"[\d.]+ s, [\d,]+ events/s", "", text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_lpa_plugins_names_it_with_its_package_and_version(clean: CleanEnvironment) -> None:
    listed: list[dict[str, Any]] = json.loads(clean.shell("lpa plugins --json"))
    (example,) = [plugin for plugin in listed if plugin["name"] == "example"]
    assert example == {
        "name": "example",
        "package": "lpa-example-plugin",
        "version": "0.1.0",
        "hooks": ["lpa_classify_failure", "lpa_event_types", "lpa_sinks"],
        "disabled": False,
        "problem": "",
    }


def test_its_own_tests_pass() -> None:
    source = str(EXAMPLE / "src")
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], EXAMPLE, {"PYTHONPATH": path})
