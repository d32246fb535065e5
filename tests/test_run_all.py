"""tests/integration/run_all.sh: what it runs, and that a failure of either part is one of the whole."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path("tests", "integration", "run_all.sh")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With programs that write down their arguments, and fail if a file of their name says so."""
    (tmp_path / SCRIPT).parent.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[1] / SCRIPT, tmp_path / SCRIPT)
    for name in ("dev", ".nox/integration/bin/lpa"):
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/bin/sh\necho {program.name} "$@" >> said\n[ ! -e {program.name}.fails ]\n')
        program.chmod(0o755)
    return tmp_path


def run(repository: Path, *arguments: str, **environment: str) -> tuple[int, list[str]]:
    """Its exit status, and what it ran."""
    kept = {name: value for name, value in os.environ.items() if name != "CLICKHOUSE_URL"}
    done = subprocess.run(
        [repository / SCRIPT, *arguments], cwd=repository / "tests", env={**kept, **environment}, check=False
    )
    return done.returncode, (repository / "said").read_text().splitlines()


def test_it_runs_the_integration_tests_and_the_assertions_of_a_database_that_is_named(repository: Path) -> None:
    assert run(repository, "-k", "savepoint") == (0, ["dev integration --junit-xml=integration.xml -k savepoint"])
    status, said = run(repository, CLICKHOUSE_URL="http://clickhouse:8123")
    assert status == 0
    assert said[1:] == ["dev integration --junit-xml=integration.xml", "lpa check parity --sink clickhouse://"]


@pytest.mark.parametrize("program", ["dev", "lpa"])
def test_it_fails_if_one_of_them_does(repository: Path, program: str) -> None:
    (repository / f"{program}.fails").touch()
    status, _ = run(repository, CLICKHOUSE_URL="http://clickhouse:8123")
    assert status == 1
