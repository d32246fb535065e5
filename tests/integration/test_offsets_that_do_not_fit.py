"""Offsets that fit neither the topic nor the tables: every check that goes by them is red, and names what mends it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic
from services.advice import follow
from services.health import health
from services.job import Job, event
from services.preloaded import preloaded_lpa

NewJob = Callable[..., Job]
GO_BY_OFFSETS = ("consumer_lag", "group_offsets", "conservation")


def states(found: dict[str, Any]) -> dict[str, str]:
    return {name: found[name]["state"] for name in GO_BY_OFFSETS}


def filled(new_job: NewJob, **more: Any) -> Job:
    """A job that has stored 20 records of its only partition, and was stopped."""
    job = new_job(**more)
    assert health(job)["group_offsets"]["state"] == "not applicable", "nothing is there yet"
    job.produce([event(f"e{number}") for number in range(10)])
    found = health(job)["group_offsets"]
    assert (found["state"], "has never committed an offset" in found["detail"]) == ("warning", True)
    job.start()
    job.produce([event(f"f{number}") for number in range(10)])
    job.until_committed(20)
    assert job.stop() == 0
    found = health(job)
    assert states(found) == dict.fromkeys(GO_BY_OFFSETS, "ok"), found
    return job


def test_failure_17_a_group_without_offsets_is_red_until_the_command_that_is_named_has_run(new_job: NewJob) -> None:
    job = filled(new_job)
    group = job.environment["QUALITY_GROUP_ID"]
    job.admin.delete_consumer_groups([group])[group].result()
    job.produce([event(f"more{number}") for number in range(5)])
    found = health(job)
    assert states(found) == dict.fromkeys(GO_BY_OFFSETS, "critical")
    said = f"{job.topic}[0]: the group {group} has no committed offset, though records up to 19 are stored"
    assert (
        said in found["consumer_lag"]["detail"] == found["conservation"]["detail"] == found["group_offsets"]["detail"]
    )
    (command,) = re.findall(r"`([^`]+)`", found["group_offsets"]["action"])
    assert command.startswith("lpa recover offset-loss --sink ")

    done = subprocess.run(
        [preloaded_lpa(), *shlex.split(command)[1:], "--execute"],
        env={**os.environ, **job.environment}, cwd=job.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = health(job)
    assert states(found) == dict.fromkeys(GO_BY_OFFSETS, "ok")
    assert found["consumer_lag"]["value"] == 5
    another = health(job, QUALITY_GROUP_ID=f"{group}-misspelt")["group_offsets"]
    assert (another["state"], "set QUALITY_GROUP_ID" in another["action"]) == ("critical", True)


def test_failure_17_a_topic_that_was_made_anew_is_red_and_a_worker_that_gave_up_says_so(new_job: NewJob) -> None:
    job = filled(new_job)
    job.admin.delete_topics([job.topic])[job.topic].result()

    def made() -> bool:
        try:
            job.admin.create_topics([NewTopic(job.topic, 1, 1)])[job.topic].result()
        except Exception:  # while the old one is still being deleted
            return False
        return True

    job.until(made, "the topic is there again")
    time.sleep(1)
    job.produce([event(f"anew{number}") for number in range(7)])
    found = health(job)
    assert states(found) == dict.fromkeys(GO_BY_OFFSETS, "critical"), found
    what = "holds 0 to 6, though 19 is stored: it was deleted and made again, or truncated"
    assert what in found["group_offsets"]["detail"]
    assert "QUALITY_INPUT_TOPIC" in found["group_offsets"]["action"]

    job.start(ready=False, HEALTH_INTERVAL_SECONDS="1", HEALTH_TIMEOUT_SECONDS="30")
    job.until(lambda: _job(job)["state"] == "FAILING", "the job has given its partition up")
    assert (_job(job)["tasks"]["failed"], _job(job)["tasks"]["running"]) == (1, 0)
    assert job.get(f"/jobs/{_job(job)['jid']}")[1]["healthy"] is False
    job.until(lambda: "needs a person" in _own(job, "group_offsets"), "its own health says so")
    assert job.get("/health")[0] == 503
    before = len(job.log.read_text())
    assert job.stop() == 0
    said = job.log.read_text()[before:]
    assert f"{job.topic}[0] needs a person" in said
    assert f"7 records wait: 7 in {job.topic}[0]" in said
    assert "Nothing new" not in said


def test_failure_17_records_that_were_deleted_before_they_were_read_are_red(new_job: NewJob) -> None:
    job = filled(new_job)
    job.produce([event(f"more{number}") for number in range(10)])
    (done,) = job.admin.delete_records([TopicPartition(job.topic, 0, 25)]).values()
    done.result()
    found = health(job)
    assert states(found) == dict.fromkeys(GO_BY_OFFSETS, "critical"), found
    assert "5 records from 20 on were deleted before they were read" in found["group_offsets"]["detail"]


def test_failure_17_commit_metadata_that_is_damaged_is_red_until_the_command_that_is_named_has_run(
    new_job: NewJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = filled(new_job)
    for variable, value in job.environment.items():
        monkeypatch.setenv(variable, value)
    job.commit(20, metadata="lpa1:{damaged")
    found = health(job)
    assert states(found) == dict.fromkeys(GO_BY_OFFSETS, "critical"), found
    assert f"the commit metadata of {job.topic}[0] is damaged" in found["group_offsets"]["detail"]
    follow(found["group_offsets"]["action"])
    assert states(health(job)) == dict.fromkeys(GO_BY_OFFSETS, "ok")


def _job(job: Job) -> dict[str, Any]:
    status, found = job.get("/jobs/overview")
    return dict(found["jobs"][0]) if status == 200 else {"state": "", "tasks": {}}


def _own(job: Job, check: str) -> str:
    _, found = job.get("/health")
    return next((str(each["detail"]) for each in found["checks"] if each["name"] == check), "")
