"""Kills recoveries at their steps, and tries to go on without them; then runs them again.

``python broken_recovery_run.py FOLDER`` prints as JSON what came of each.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from lpa_ops.recover import deduplication_tokens

sys.path.insert(0, str(Path(__file__).parents[1] / "backup"))
from broken_restore_run import command, killed, lpa
from killed_run import content, in_child, settings
from services.few_assertions import ask_few
from services.share import in_share

from lpa_core.generate.generator import generate
from lpa_core.jobs import restoration
from lpa_ops.backup import database_exchange
from lpa_ops.positions.doubled import ingested_tables
from lpa_ops.recover import doubled_rows, row_removal, total_loss
from lpa_sinks.clickhouse.database import opened

EVENTS = 2_000


def truncate_a_part(folder: Path) -> None:
    parts = (folder / "data" / "clickhouse" / "store").glob("*/*/*/data.*")
    largest = max(parts, key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)


def remove(folder: Path) -> None:
    shutil.rmtree(folder / "data" / "clickhouse")


def store_twice(folder: Path) -> None:
    """A batch of a minute later has some positions again, and facts are made of all these rows."""
    in_child(partial(insert_again, folder))
    assert lpa("materialize", "rebuild", "--start", "2000-01-01", "--end", "2100-01-01")["status"] == 0


def insert_again(folder: Path) -> None:
    with opened(None, settings(folder)) as (client, name):
        for table in ingested_tables(client, name):
            columns = ", ".join(table.columns)
            later = columns.replace("ingestion_timestamp", "ingestion_timestamp + INTERVAL 1 MINUTE")
            client.command(
                f"INSERT INTO {table.target} ({columns}) SELECT {later} FROM {table.target} "
                "WHERE source_offset BETWEEN 300 AND 900",
                settings={"insert_deduplicate": 0},
            )


KILLS: tuple[tuple[str, Callable[[Path], None], ModuleType, str, bool], ...] = (
    ("clickhouse-corruption", truncate_a_part, database_exchange, "move", False),
    ("clickhouse-corruption", truncate_a_part, deduplication_tokens, "_detach", True),
    ("clickhouse-corruption", truncate_a_part, restoration, "unbar", False),
    ("total-loss", remove, total_loss, "restore", False),
    ("total-loss", remove, database_exchange, "move", False),
    ("doubled-rows", store_twice, row_removal, "_delete", True),
    ("doubled-rows", store_twice, doubled_rows, "derive_again", False),
)
"""Scenario, damage, and the call before which it is killed, or behind it."""


def command_in(said: str) -> list[str]:
    """The command that a message names, as a person would type it."""
    (command,) = re.findall(r"run `lpa ([^`]+)`", said)
    return shlex.split(command)


def go_on(folder: Path, file: Path, recover: tuple[str, ...]) -> dict[str, Any]:
    """As the refusal says, and then once more."""
    refused = command("ingest", str(file))
    return {
        "ingest": refused,
        "again": command(*command_in(refused["said"])),
        "ingest again": command("ingest", str(file)),
        "once more": command(*recover),
        "content": content(folder),
    }


def main(folder: Path) -> None:
    os.environ |= {"LPA_DATA_DIR": str(folder / "data"), "LPA_BACKUP_DIR": str(folder / "backups")}
    os.environ |= {"LPA_LOG_LEVEL": "error"}
    ask_few()
    lines = [line + b"\n" for line in generate(EVENTS, duplicates=0.05, bad=0.02, sessions=20, seed=3)]
    file = folder / "events.ndjson"
    file.write_bytes(b"".join(lines[: EVENTS // 2]))
    assert lpa("ingest", str(file))["status"] == 0
    assert lpa("backup", "create")["status"] == 0
    file.write_bytes(b"".join(lines))
    assert lpa("ingest", str(file))["status"] == 0
    answer: dict[str, Any] = {"before": in_child(partial(content, folder)), "kills": []}
    for scenario, damage, module, name, behind in in_share(KILLS):
        damage(folder)
        recover = ("recover", scenario, "--execute")
        killed(module, name, behind, *recover)
        kill = {"step": f"{scenario} at {name}"}
        answer["kills"].append(kill | in_child(partial(go_on, folder, file, recover)))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
