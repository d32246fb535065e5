"""Kills recoveries at their steps, and tries to go on without them; then runs them again.

``python broken_recovery_run.py FOLDER`` prints as JSON what came of each.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "backup"))
from broken_restore_run import killed, lpa
from killed_run import content, in_child

from lpa_core import restoration
from lpa_core.generate.generator import generate
from lpa_ops.backup import exchange
from lpa_ops.recover import tokens, total_loss

EVENTS = 2_000


def truncate_a_part(folder: Path) -> None:
    parts = (folder / "data" / "clickhouse" / "store").glob("*/*/*/data.*")
    largest = max(parts, key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)


def remove(folder: Path) -> None:
    shutil.rmtree(folder / "data" / "clickhouse")


KILLS: tuple[tuple[str, Callable[[Path], None], ModuleType, str, bool], ...] = (
    ("clickhouse-corruption", truncate_a_part, exchange, "move", False),
    ("clickhouse-corruption", truncate_a_part, tokens, "_detach", True),
    ("clickhouse-corruption", truncate_a_part, restoration, "unbar", False),
    ("total-loss", remove, total_loss, "restore", False),
    ("total-loss", remove, exchange, "move", False),
)
"""Scenario, damage, and the call before which it is killed, or behind it."""


def main(folder: Path) -> None:
    os.environ |= {"LPA_DATA_DIR": str(folder / "data"), "LPA_BACKUP_DIR": str(folder / "backups")}
    os.environ |= {"LPA_LOG_LEVEL": "error"}
    lines = [line + b"\n" for line in generate(EVENTS, duplicates=0.05, bad=0.02, sessions=20, seed=3)]
    file = folder / "events.ndjson"
    file.write_bytes(b"".join(lines[: EVENTS // 2]))
    assert lpa("ingest", str(file))["status"] == 0
    assert lpa("backup", "create")["status"] == 0
    file.write_bytes(b"".join(lines))
    assert lpa("ingest", str(file))["status"] == 0
    answer: dict[str, Any] = {"before": in_child(partial(content, folder)), "kills": []}
    for scenario, damage, module, name, behind in KILLS:
        damage(folder)
        recover = ("recover", scenario, "--execute")
        killed(module, name, behind, *recover)
        kill = {"step": f"{scenario} at {name}", "ingest": lpa("ingest", str(file)), "again": lpa(*recover)}
        kill["ingest again"] = lpa("ingest", str(file))
        answer["kills"].append({**kill, "content": in_child(partial(content, folder))})
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
