"""The job on a real cluster: the operations guide's own commands, and what a worker makes of the same records."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from services.clickhouse import ClickHouseServer
from services.content import content
from services.flink import JAR
from services.job import Job

from flink.place import FlinkPlace
from lpa_core.testing.mutations import mutated_records

EVENTS: Final = int(os.environ.get("LPA_FLINK_EVENTS", "20000"))
GUIDE: Final = (Path(__file__).parents[1] / "fixtures" / "operations-guide.md").read_text("utf-8")
COMMANDS: Final = re.findall(r"^  - `(curl .*YOUR_FLINK_SERVER:8081.*)`$", GUIDE, re.MULTILINE)


def guide(place: FlinkPlace, path: str, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run the guide's command of this path, with what stands in the place of its names."""
    (command,) = [each for each in COMMANDS if re.search(rf":8081{re.escape(path)}(?:\s|$)", each)]
    names = {"http://YOUR_FLINK_SERVER:8081": place.cluster.address, **(names or {})}
    for name, value in names.items():
        assert name in command
        command = command.replace(name, value)
    done = subprocess.run(["bash", "-c", command], cwd=JAR.parent, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert "errors" not in answer, answer
    return answer


@pytest.mark.each_share
def test_the_guides_commands_run_and_all_tables_are_those_of_a_worker(
    new_place: Callable[..., FlinkPlace], tmp_path: Path
) -> None:
    place = new_place()
    records = [*mutated_records(EVENTS, 7, whole=0.95)]
    half = len(records) // 2
    place.cluster.start()
    assert guide(place, "/overview")["taskmanagers"] == 1
    jar = guide(place, "/jars/upload")["filename"].rsplit("/", 1)[-1]
    place.send(records[:half])
    job = guide(place, "/jars/<jarid>/run", {"<jarid>": jar})["jobid"]
    place.until_stored(half // 2)
    assert [each["jid"] for each in guide(place, "/jobs/overview")["jobs"]] == [job]
    place.send(records[half:])
    request = guide(place, "/jobs/<jid>/stop", {"<jid>": job})["request-id"]
    location = savepoint_of(place, job, request)
    again = guide(place, "/jars/upload")["filename"].rsplit("/", 1)[-1]
    names = {"<new_jarid>": again, "/opt/flink/storage/savepoints/<savepoint-id>": location}
    job = guide(place, "/jars/<new_jarid>/run", names)["jobid"]
    place.until_all_is_stored()
    place.cluster.stop(job)
    assert place.faults() == []
    assert stored_by_a_worker(place, tmp_path) == tables(place.clickhouse)


def savepoint_of(place: FlinkPlace, job: str, request: str) -> str:
    def answer() -> dict[str, Any]:
        return guide(place, "/jobs/<jid>/savepoints/<request-id>", {"<jid>": job, "<request-id>": request})

    place.cluster.until(lambda: answer()["status"]["id"] == "COMPLETED", "the savepoint is made")
    place.cluster.until(lambda: place.cluster.state(job) == "FINISHED", "the job has ended")
    return str(answer()["operation"]["location"])


def stored_by_a_worker(place: FlinkPlace, folder: Path) -> dict[str, tuple[Any, ...]]:
    """What a worker stores of the same topic, in a database of its own."""
    clickhouse = ClickHouseServer()
    (folder / "worker").mkdir()
    worker = Job(place.worker.bootstrap, clickhouse, folder / "worker", place.partitions)
    try:
        worker.topic = place.worker.topic
        worker.start(QUALITY_INPUT_TOPIC=place.worker.topic)
        for partition in range(place.partitions):
            end = max(offset for number, offset in place.sent if number == partition) + 1
            worker.until(lambda end=end, number=partition: worker.committed(number) >= end, "it is at the end", 600)
        worker.stop()
        return tables(clickhouse)
    finally:
        worker.kill()
        clickhouse.close()


def tables(clickhouse: ClickHouseServer) -> dict[str, tuple[Any, ...]]:
    with clickhouse.client() as client:
        return {name: rows for name, rows in content(client).items() if not name.startswith(("fact", "agg"))}
