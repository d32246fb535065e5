"""Kills a restore at each of its steps, and tries to go on without it; then runs it again.

``python broken_restore_run.py FOLDER`` prints as JSON what came of each. What is killed has a process of its own, and
so has what follows.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from killed_run import content, in_child
from services.share import in_share

from lpa_core.cli import run
from lpa_core.generate.generator import generate
from lpa_core.jobs import restoration
from lpa_ops.backup import checkpoints, database, database_exchange

EVENTS = 2_000
KILLS: tuple[tuple[ModuleType, str, bool, bool], ...] = (
    (database, "bring_back", False, False),
    (database, "resume_merges", False, False),
    (restoration, "bar", False, False),
    (database, "bring_structure_back", False, True),
    (database_exchange, "move", False, True),
    (checkpoints, "put_back", False, True),
    (shutil, "copyfile", False, True),
    (restoration, "unbar", False, True),
    (restoration, "unbar", True, False),
)
"""The call of a restore before which it is killed, or behind it, and whether nothing goes on without it then: before
the first row is gone, and once all are back, there is nothing to refuse."""


def command(*arguments: str) -> dict[str, Any]:
    """Exit status, and what is printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = run(list(arguments))
    return {"status": status, "said": out.getvalue() + err.getvalue()}


def lpa(*arguments: str) -> dict[str, Any]:
    """Exit status, and what is printed."""
    found: dict[str, Any] = in_child(partial(command, *arguments))
    return found


def killed(module: ModuleType, name: str, behind: bool, *arguments: str) -> None:
    step: Callable[..., Any] = getattr(module, name)

    def kill(*given: Any, **named: Any) -> None:
        if behind:
            step(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    def until_killed() -> int:
        setattr(module, name, kill)
        return run(list(arguments))

    assert in_child(until_killed) is None, f"{name} is no step of it any more"


def without_it(folder: Path, late: Path) -> dict[str, Any]:
    """What is said to those who go on as if there had been no restore."""
    tried = {"ingest": command("ingest", str(late)), "backup": command("backup", "create")}
    return {**tried, "content": content(folder)} if tried["ingest"]["status"] == 0 else tried


def once_more(folder: Path, restore: tuple[str, ...], *files: Path) -> dict[str, Any]:
    return {
        "again": command(*restore),
        "ingest again": [command("ingest", str(file))["status"] for file in files],
        "content again": content(folder),
    }


def main(folder: Path) -> None:
    os.environ |= {"LPA_DATA_DIR": str(folder / "data"), "LPA_BACKUP_DIR": str(folder / "backups")}
    os.environ |= {"LPA_LOG_LEVEL": "error"}
    lines = [line + b"\n" for line in generate(EVENTS, duplicates=0.05, bad=0.02, sessions=20, seed=3)]
    early, late = folder / "early.ndjson", folder / "late.ndjson"
    early.write_bytes(b"".join(lines[: EVENTS // 2]))
    late.write_bytes(b"".join(lines[EVENTS // 2 :]))
    assert lpa("ingest", str(early))["status"] == 0
    backup = lpa("backup", "create")["said"].splitlines()[-1]
    assert lpa("ingest", str(late))["status"] == 0
    before = in_child(partial(content, Path(folder)))
    answer = {"before": before, "kills": []}
    for module, name, behind, refused in in_share(KILLS):
        restore = ("backup", "restore", backup, "--replace")
        killed(module, name, behind, *restore)
        kill = {"step": f"{'behind' if behind else 'before'} {name}", "to be refused": refused}
        kill |= in_child(partial(without_it, folder, late))
        answer["kills"].append(kill | in_child(partial(once_more, folder, restore, early, late)))
    answer["left over"] = [each.name for each in (folder / "data" / "scratch").iterdir()]
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
