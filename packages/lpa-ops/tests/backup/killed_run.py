"""Kills an ingesting process at a step, backs up what it left, loses all data, restores, and goes on.

``python killed_run.py FOLDER`` prints, as JSON, what every table holds after an undisturbed run and after each of
these. A process of its own for each piece of work: an embedded engine cannot move between folders.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.share import in_share

from lpa_core.delivery.ranges import Range
from lpa_core.delivery.source_worker import Step, StepListener
from lpa_core.generate.generator import generate
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.ingest import ingest
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings
from lpa_core.sources.source import Source
from lpa_ops.backup.create import create
from lpa_ops.backup.restore import restore
from lpa_ops.backup.store import BackupStore
from lpa_ops.positions.stored_tables import stored_tables
from lpa_sinks.clickhouse.database import opened

EVENTS = 3_000
KILLS = (
    (Step.CLAIMED, 2, False),
    (Step.PREPARED, 2, False),
    (Step.WRITTEN, 4, True),
    (Step.FINISHED, 2, False),
    (Step.WRITTEN, 20, True),
)
"""The step at which the process is killed, which one of its kind, and whether rows of an unfinished range are there."""
DERIVED = {
    "fact_workflow_sessions": "* EXCEPT (ingestion_timestamp, version)",
    "fact_stream_status_samples": "* EXCEPT (ingestion_timestamp, version)",
    "agg_stream_performance_1m": (
        "window_start, gateway, orchestrator_address, pipeline, finalizeAggregation(sample_count_state)"
    ),
}
"""Views of derived tables, and what of them is compared."""
FORK = multiprocessing.get_context("fork")


def in_child(work: Callable[[], Any]) -> Any:
    receiver, sender = FORK.Pipe(duplex=False)
    child = FORK.Process(target=lambda: sender.send(work()))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        return None
    finally:
        child.join()


def settings(folder: Path) -> Settings:
    return Settings(
        clickhouse=ClickHouseSettings(sink_max_batch_size=1_000),
        lpa=ProcessSettings(data_dir=folder / "data", backup_dir=str(folder / "backups"), log_level="error"),
    )


def run(folder: Path, watch: Callable[[Source], StepListener] = lambda source: lambda step, range_: None) -> int:
    used = settings(folder)
    return ingest(Job(str(folder.parent / "events.ndjson")), used, PluginManager(used), watch).read


def kill_at(kind: Step, number: int) -> StepListener:
    passed = 0

    def listener(step: Step, range_: Range) -> None:
        nonlocal passed
        passed += step is kind
        if passed == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return listener


def back_up_and_go_on(folder: Path) -> str:
    used = settings(folder)
    with opened(None, used) as (client, name):
        location, _ = create(client, name, None, used, PluginManager(used), BackupStore(used.lpa.backup_dir))
    run(folder)
    return location


def bring_back_and_go_on(folder: Path, location: str) -> dict[str, Any]:
    restored = restore(location, None, settings(folder), PluginManager(settings(folder)))
    read = run(folder)
    return {"cut": sum(restored.cut.values()), "read": read, "content": content(folder)}


def content(folder: Path) -> dict[str, Any]:
    with opened(None, settings(folder)) as (client, name):
        found = {}
        for table in stored_tables(client, name):
            if table.name == "withdrawn_positions" or not table.tells_positions:
                continue
            columns = ", ".join(f"`{each}`" for each in table.columns if not each.endswith("_timestamp"))
            query = f"SELECT count(), sum(sipHash64(formatRow('RowBinary', {columns}))) FROM {table.target}"
            found[table.name] = client.query(query).result_rows[0]
        for view, columns in DERIVED.items():
            query = f"SELECT count(), sum(sipHash64(formatRow('RowBinary', {columns}))) FROM `{name}`.`{view}`"
            found[view] = client.query(query).result_rows[0]
        return found


def main(folder: Path) -> None:
    with (folder / "events.ndjson").open("wb") as file:
        for line in generate(EVENTS, duplicates=0.05, bad=0.02, sessions=20, seed=3):
            file.write(line + b"\n")
    undisturbed = folder / "undisturbed"
    assert in_child(lambda: run(undisturbed)) == EVENTS
    answer = {"undisturbed": in_child(lambda: content(undisturbed)), "kills": []}
    for step, number, unfinished in in_share(KILLS):
        kill = {"step": step, "unfinished": unfinished}
        answer["kills"].append(kill | killed(folder / f"{step}-{number}", step, number))
    print(json.dumps(answer))


def killed(place: Path, step: Step, number: int) -> dict[str, Any]:
    in_child(lambda: run(place, lambda source: kill_at(step, number)))
    location = in_child(lambda: back_up_and_go_on(place))
    shutil.rmtree(place / "data")
    found: dict[str, Any] = in_child(lambda: bring_back_and_go_on(place, location))
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
