"""What waiting does not help against: the job ends, or does not begin, and Flink's REST says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from services.processes import ServiceError

from flink.place import FlinkPlace
from lpa_core.testing.mutations import mutated_records


def failure(place: FlinkPlace, job: str) -> str:
    """Why the job failed for good."""
    place.cluster.until(lambda: place.cluster.state(job) == "FAILED", "the job has failed")
    (newest, *_) = place.cluster.get(f"/jobs/{job}/exceptions")["exceptionHistory"]["entries"]
    return str(newest["stacktrace"])


@pytest.mark.parametrize(
    ("setting", "limit", "records"),
    [
        ("QUALITY_REJECT_LIMIT_CONSECUTIVE", "20", [b"no JSON %d" % number for number in range(100)]),
        ("QUALITY_REJECT_LIMIT_SHARE", "0.5", [*mutated_records(20, 3, whole=1.0), *[b"no JSON"] * 40]),
    ],
)  # fmt: skip
def test_too_many_dead_letters_end_the_job_for_good(
    new_place: Callable[..., FlinkPlace], setting: str, limit: str, records: list[bytes]
) -> None:
    place = new_place(1, **{setting: limit})
    place.send(records)
    place.cluster.start()
    job = place.cluster.run(place.cluster.upload())
    said = failure(place, job)
    assert f"would be dead letters, more than {setting} allows: nothing of it was committed" in said
    assert place.stored_count() <= 40, "ranges before it that were within the limit"
    assert sum(place.worker.stored("streaming_events_dlq").values()) <= 20


def test_a_sink_that_does_not_let_the_job_in_ends_it_with_the_reason(new_place: Callable[..., FlinkPlace]) -> None:
    place = new_place(CLICKHOUSE_PASSWORD="not-the-password")
    place.cluster.start()
    job = place.cluster.run(place.cluster.upload())
    place.send(mutated_records(50, 1))
    said = failure(place, job)
    assert "CLICKHOUSE_PASSWORD" in said
    assert "not-the-password" not in said


def test_a_job_that_cannot_begin_says_why(new_place: Callable[..., FlinkPlace]) -> None:
    place = new_place(1)
    place.cluster.set({"QUALITY_TOPIC_RESET_STRATEGY_MAP": f"{place.worker.topic}=latest"})
    place.cluster.start(task_managers=0)
    jar = place.cluster.upload()
    with pytest.raises(ServiceError, match=r"submitted by 9\.9: install one version on both"):
        place.cluster.run(jar, arguments=("--expect-version", "9.9"))
    with pytest.raises(ServiceError, match="take the topic out of it, or run `lpa ingest` once"):
        place.cluster.run(jar)
