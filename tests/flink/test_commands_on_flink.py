"""``lpa flink`` on a real cluster: from a worker to the job and back, with updates, refusals and rescaling between."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flink.command import lpa_flink
from flink.place import FlinkPlace
from lpa_core.testing.mutations import mutated_records
from lpa_flink.testing.place import make_jar

EVENTS: Final = 1_000
SEAM: Final = 300
"""Records that come again after a change from one to the other."""


def job_of(place: FlinkPlace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lpa_flink(place, "status", "--json"))["job"]
    return found


def test_a_job_takes_over_from_a_worker_is_updated_rescaled_and_gives_back(
    new_place: Callable[..., FlinkPlace], tmp_path: Path
) -> None:
    place = new_place()
    batches = [[*mutated_records(EVENTS, seed, whole=1.0), b"no JSON of batch %d" % seed] for seed in range(5)]
    place.worker.start()
    place.send(batches[0])
    place.until_all_is_stored()

    place.cluster.start()
    assert "has live members" in lpa_flink(place, "submit", status=1)
    assert place.worker.stop() == 0
    job = lpa_flink(place, "submit")
    assert "runs already" in lpa_flink(place, "submit", status=1)
    place.send([*batches[0][:SEAM], *batches[1], *batches[0][:SEAM]])
    place.until_all_is_stored()
    place.cluster.until(lambda: job_of(place)["checkpoints"]["completed"] > 1, "checkpoints are made")
    assert job_of(place)["job_id"] == job
    assert job_of(place)["parameters"]["lpa.topics"] == place.worker.topic
    assert job_of(place)["waiting_records"] == 0

    older = lpa_flink(place, "stop", "--yes")
    note = json.loads((Path(older) / "lpa-savepoint.json").read_text())
    assert sum(each["stored"] for each in note["partitions"]) == len(place.sent)
    assert "go on with it" in lpa_flink(place, "submit", status=1)
    assert "it is of the topic" in lpa_flink(place, "restore", status=1, QUALITY_INPUT_TOPIC="another")
    said = lpa_flink(place, "restore", older, status=1, LPA_FLINK_JOB_NAME="another")
    assert "set LPA_FLINK_JOB_NAME=livepeer-analytics" in said
    other = make_jar(tmp_path / "livepeer-analytics-flink-9.9.jar", "9.9")
    assert "is of version 9.9, and lpa-flink of" in lpa_flink(place, "restore", status=2, LPA_FLINK_JAR=str(other))
    place.send(batches[2])
    lpa_flink(place, "restore", LPA_FLINK_PARALLELISM="2")
    assert job_of(place)["parallelism"] == 2
    place.until_all_is_stored()

    newer = lpa_flink(place, "stop", "--yes")
    assert f"is older than {newer}" in lpa_flink(place, "restore", older, status=1)
    place.send([*batches[0][:SEAM], *batches[3]])
    lpa_flink(place, "restore", "latest")
    place.until_all_is_stored()
    drained = lpa_flink(place, "stop", "--drain", "--yes")
    assert "was drained" in lpa_flink(place, "restore", drained, status=1)

    place.worker.start()
    place.send([*batches[3][:SEAM], *batches[4], *batches[0][:SEAM]])
    place.until_all_is_stored()
    place.worker.stop()
    assert place.faults() == []
