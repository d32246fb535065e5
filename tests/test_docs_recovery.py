"""The pages on backup, recovery and schema changes: their commands run, and damage is done where they speak of it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from services.preloaded import preloaded_lpa, preloaded_python

from lpa_core.cli import build_app
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import described
from lpa_core.settings.settings import Settings
from lpa_ops.backup.retention import retention_days
from lpa_ops.commands.recover import recover_app

FOLDER = Path(__file__).parents[1] / "docs" / "operations"
BACKUP, RECOVERY, SCHEMA = ((FOLDER / f"{name}.md").read_text() for name in ("backup", "recovery", "schema-changes"))
ROWS = """
SELECT table, sum(rows) FROM system.parts
WHERE active AND database = 'livepeer_analytics' AND table != 'agg_quality_benchmark_1d_versions'
GROUP BY table
"""
"""Benchmarks are made again while their facts are young: each time has rows of its own until parts are merged."""


def blocks(page: str, kind: str = "sh") -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def section(page: str, title: str) -> str:
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def lpa(folder: Path, script: str) -> str:
    """Run lines of a shell; they end at the first that fails."""
    folders = preloaded_lpa().parent, Path(sys.executable).parent, os.environ["PATH"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LPA_", "QUALITY_"))}
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=folder,
        env={**environment, "PATH": os.pathsep.join(map(str, folders)), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def truncate_a_part(folder: Path) -> None:
    parts = (folder / "lpa-data" / "clickhouse" / "store").glob("*/*/*/data.*")
    largest = max(parts, key=lambda path: path.stat().st_size)
    with largest.open("r+b") as file:
        file.truncate(largest.stat().st_size // 2)


def asked(folder: Path, query: str) -> list[list[Any]]:
    script = f"""
import json, clickhouse_connect
client = clickhouse_connect.get_client(interface="chdb", path="lpa-data/clickhouse")
print(json.dumps([list(row) for row in client.query({query!r}).result_rows]))
"""
    return json.loads(lpa(folder, f"{preloaded_python()} -c {shlex.quote(script)}"))  # type: ignore[no-any-return]


def counts(folder: Path) -> dict[str, int]:
    return {table: int(count) for table, count in asked(folder, ROWS) if "__damaged_" not in table}


def set_aside(folder: Path) -> list[str]:
    tables = "SELECT name FROM system.tables WHERE database = 'livepeer_analytics' AND name LIKE '%__damaged_%'"
    return [name for (name,) in asked(folder, tables)]


@pytest.mark.slow
def test_the_commands_do_what_the_pages_say(tmp_path: Path) -> None:
    lpa(tmp_path, "lpa generate --events 2000 --seed 1 --output events.ndjson && lpa ingest events.ndjson")
    before = counts(tmp_path)
    said = lpa(tmp_path, "".join(blocks(BACKUP)))
    assert "is good" in said
    assert "0 removed" in said
    assert counts(tmp_path) == before

    truncate_a_part(tmp_path)
    (corruption,) = blocks(section(RECOVERY, "clickhouse-corruption"))
    said = lpa(tmp_path, corruption)
    assert "cannot be read" in said
    assert "NOT SO" not in said
    lpa(tmp_path, "lpa ingest events.ndjson")
    assert counts(tmp_path) == before
    made = lpa(tmp_path, "lpa backup create && lpa backup verify $(lpa backup create | tail -n 1)")
    assert "is good" in made
    assert "__damaged_" not in made, "what is set aside cannot be read, and is in no backup"
    (table,) = set_aside(tmp_path)
    (drop,) = blocks(section(RECOVERY, "clickhouse-corruption"), "sh drop")
    lpa(tmp_path, f"table={table}\n{drop}")
    assert set_aside(tmp_path) == []

    lpa(tmp_path, "lpa health")
    shutil.rmtree(tmp_path / "lpa-data" / "clickhouse")
    assert "there is no embedded database, though 2,0" in lpa(tmp_path, "! lpa health --json")
    (loss,) = blocks(section(RECOVERY, "total-loss"))
    said = lpa(tmp_path, loss)
    assert "does not exist" in said
    assert "done: restore" in said
    assert "NOT SO" not in said
    lpa(tmp_path, "lpa ingest events.ndjson")
    assert counts(tmp_path) == before
    (parity,) = re.findall(r"^now: run `(lpa check parity[^`]*)`", said, re.MULTILINE)
    assert "0 fail" in lpa(tmp_path, parity), "what is printed last can be run as it is"

    migration = re.findall(r"^```sql (\S+)\n(.*?)^```$", SCHEMA, re.MULTILINE | re.DOTALL)
    for name, text in migration:
        (tmp_path / "migrations" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "migrations" / name).write_text(text)
    plan, back = blocks(SCHEMA)
    with_files = "--migrations migrations"
    said = lpa(tmp_path, re.sub("$", f" {with_files}", plan.strip(), flags=re.MULTILINE))
    assert "0001-zone" in said
    (rollback,) = blocks(section(RECOVERY, "schema-rollback"))
    assert "done: roll back" in lpa(tmp_path, re.sub("$", f" {with_files}", rollback.strip(), flags=re.MULTILINE))
    lpa(tmp_path, f"lpa schema apply {with_files}")
    assert "0001-zone is rolled back" in lpa(tmp_path, f"{back.strip()} {with_files}")


def test_every_command_of_the_pages_is_one() -> None:
    settings = Settings()
    app = build_app(settings, PluginManager(settings))
    pages = BACKUP + RECOVERY + SCHEMA
    lines = [
        line
        for block in re.findall(r"^```[^\n]*\n(.*?)^```$", pages, re.MULTILINE | re.DOTALL)
        for line in block.split("\n")
    ]
    commands = [match for line in lines for match in re.findall(r"(?<!\w)lpa ([a-z][^|)&\n]*)", line)]
    commands += re.findall(r"`lpa ((?:backup|recover|schema|materialize|check) [^`]*)`", pages)
    assert len(commands) > 20
    for command in commands:
        words = shlex.split(command)
        if words[:2] == ["materialize", "rebuild"]:
            words += ["--start", "2026-01-01", "--end", "2026-01-02"]
        if words == ["recover", "lost-claims"]:
            words.append("redis://redis:6379/0")
        app.parse_args(words, exit_on_error=False, print_error=False)


def test_every_scenario_has_its_section() -> None:
    """Asked of the commands themselves, so that a new one is in it by existing."""
    named = [name for name in recover_app(PluginManager(Settings()).context) if not name.startswith("-")]
    assert {"total-loss", "lost-claims", "wrong-times"} <= set(named)
    for name in named:
        assert section(RECOVERY, name)
        assert f"(#{name})" in RECOVERY.partition("\n## ")[0]


def test_retention_is_documented_as_it_is() -> None:
    documented = {name: int(days) for name, days in re.findall(r"^\| `(\w+)` \| (\d+) \|$", BACKUP, re.MULTILINE)}
    assert documented == retention_days(Settings())


def test_every_variable_of_the_pages_is_one() -> None:
    named = set(re.findall(r"`(?:LPA|QUALITY|CLICKHOUSE)_\w+`", BACKUP + RECOVERY + SCHEMA))
    assert named <= {f"`{setting.variable}`" for setting in described()}
