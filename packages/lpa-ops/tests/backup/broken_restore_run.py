"""Kills a restore at each of its steps, and tries to go on without it; then runs it again.

``python broken_restore_run.py FOLDER`` prints as JSON what came of each. A process of its own for each piece of work:
an embedded engine cannot move between folders.
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

from lpa_core import restoration
from lpa_core.cli import run
from lpa_core.generate.generator import generate
from lpa_ops.backup import checkpoints, database, exchange

EVENTS = 2_000
STEPS: tuple[tuple[ModuleType, str], ...] = (
    (database, "bring_back"),
    (database, "resume_merges"),
    (restoration, "bar"),
    (database, "bring_structure_back"),
    (exchange, "move"),
    (checkpoints, "put_back"),
    (shutil, "copyfile"),
    (restoration, "unbar"),
)
"""Of a restore; it is killed before each of them, and behind the last."""


def lpa(*arguments: str) -> dict[str, Any]:
    """Exit status, and what is printed."""

    def command() -> dict[str, Any]:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            status = run(list(arguments))
        return {"status": status, "said": out.getvalue() + err.getvalue()}

    found: dict[str, Any] = in_child(command)
    return found


def killed(module: ModuleType, name: str, behind: bool, *arguments: str) -> None:
    step: Callable[..., Any] = getattr(module, name)

    def kill(*given: Any, **named: Any) -> None:
        if behind:
            step(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    def command() -> int:
        setattr(module, name, kill)
        return run(list(arguments))

    assert in_child(command) is None, f"{name} is no step of it any more"


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
    for module, name, behind in [*((*step, False) for step in STEPS), (*STEPS[-1], True)]:
        restore = ("backup", "restore", backup, "--replace")
        killed(module, name, behind, *restore)
        kill: dict[str, Any] = {
            "step": f"{'behind' if behind else 'before'} {name}",
            "ingest": lpa("ingest", str(late)),
            "backup": lpa("backup", "create"),
        }
        if kill["ingest"]["status"] == 0:
            kill["content"] = in_child(partial(content, folder))
        kill["again"] = lpa(*restore)
        kill["ingest again"] = [lpa("ingest", str(file))["status"] for file in (early, late)]
        answer["kills"].append({**kill, "content again": in_child(partial(content, folder))})
    answer["left over"] = [each.name for each in (folder / "data" / "scratch").iterdir()]
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
