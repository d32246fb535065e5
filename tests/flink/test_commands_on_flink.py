"""``lpa flink`` on a real cluster: from a worker to the job and back, with updates, refusals and rescaling between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from services.flink import JAR

from flink.place import FlinkPlace
from lpa_core.testing.mutations import mutated_records

EVENTS: Final = 1_000
SEAM: Final = 300
"""Records that come again after a change from one to the other."""


def lpa(place: FlinkPlace, *arguments: str, status: int = 0, **settings: str) -> str:
    """What ``lpa flink`` printed, or its one line of refusal."""
    environment = {
        **os.environ,
        **place.environment,
        "LPA_FLINK_ADDRESS": place.cluster.address,
        "LPA_FLINK_JAR": str(JAR),
        "LPA_FLINK_STATE_DIR": str(place.cluster.folder),
        **settings,
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lpa")), "flink", *arguments],
        env=environment,
        cwd=place.worker.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, f"{done.stdout}{done.stderr}"
    return done.stdout.strip() if status == 0 else done.stderr.strip().splitlines()[-1]


def job_of(place: FlinkPlace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lpa(place, "status", "--json"))["job"]
    return found


def test_a_job_takes_over_from_a_worker_is_updated_rescaled_and_gives_back(
    new_place: Callable[..., FlinkPlace],
) -> None:
    place = new_place()
    batches = [[*mutated_records(EVENTS, seed, whole=1.0), b"no JSON of batch %d" % seed] for seed in range(5)]
    place.worker.start()
    place.send(batches[0])
    place.until_all_is_stored()

    place.cluster.start()
    assert "has live members" in lpa(place, "submit", status=1)
    assert place.worker.stop() == 0
    job = lpa(place, "submit")
    assert "runs already" in lpa(place, "submit", status=1)
    place.send([*batches[0][:SEAM], *batches[1], *batches[0][:SEAM]])
    place.until_all_is_stored()
    place.cluster.until(lambda: job_of(place)["checkpoints"]["completed"] > 1, "checkpoints are made")
    assert job_of(place)["job_id"] == job
    assert job_of(place)["parameters"]["lpa.topics"] == place.worker.topic
    assert job_of(place)["waiting_records"] == 0

    older = lpa(place, "stop", "--yes")
    note = json.loads((Path(older) / "lpa-savepoint.json").read_text())
    assert sum(each["stored"] for each in note["partitions"]) == len(place.sent)
    assert "go on with it" in lpa(place, "submit", status=1)
    assert "it is of the topic" in lpa(place, "restore", status=1, QUALITY_INPUT_TOPIC="another")
    place.send(batches[2])
    lpa(place, "restore", LPA_FLINK_PARALLELISM="2")
    assert job_of(place)["parallelism"] == 2
    place.until_all_is_stored()

    newer = lpa(place, "stop", "--yes")
    assert f"is older than {newer}" in lpa(place, "restore", older, status=1)
    place.send([*batches[0][:SEAM], *batches[3]])
    lpa(place, "restore", "latest")
    place.until_all_is_stored()
    drained = lpa(place, "stop", "--drain", "--yes")
    assert "was drained" in lpa(place, "restore", drained, status=1)

    place.worker.start()
    place.send([*batches[3][:SEAM], *batches[4], *batches[0][:SEAM]])
    place.until_all_is_stored()
    place.worker.stop()
    assert place.faults() == []
