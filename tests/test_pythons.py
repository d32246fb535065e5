"""Which Python ``./dev tests --python`` finds: one that starts and is of the version, on the PATH or among pyenv's."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Final

import pytest

TOOL: Final = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "pythons.py"))


def program(path: Path, prints: str, status: int = 0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\nexit {status}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Python: ``bin`` is its PATH, ``pyenv`` pyenv's folder."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_the_version_is_taken_out_of_the_arguments() -> None:
    assert TOOL["chosen_python"](["-k", "dedup", "--python", "3.13", "-x"]) == ("3.13", ["-k", "dedup", "-x"])
    assert TOOL["chosen_python"](["--python=3.12"]) == ("3.12", [])
    assert TOOL["chosen_python"](["tests/test_cli.py"]) == ("", ["tests/test_cli.py"])


def test_a_python_on_the_path_is_found(machine: Path) -> None:
    python = program(machine / "bin" / "python3.13", "Python 3.13.1")
    assert TOOL["interpreter"]("3.13") == python
    assert TOOL["interpreter"]("3.12") is None


def test_one_of_pyenv_is_found_after_a_shim_that_does_not_start(machine: Path) -> None:
    program(machine / "bin" / "python3.13", "pyenv: python3.13: command not found", status=127)
    program(machine / "pyenv" / "versions" / "3.13.0" / "bin" / "python", "Python 3.13.0")
    newest = program(machine / "pyenv" / "versions" / "3.13.2" / "bin" / "python", "Python 3.13.2")
    assert TOOL["interpreter"]("3.13") == newest


def test_a_longer_version_is_another(machine: Path) -> None:
    program(machine / "pyenv" / "versions" / "3.110.0" / "bin" / "python", "Python 3.110.0")
    assert TOOL["interpreter"]("3.11") is None
