"""`lpa tap` on a running job: what passes each stage is shown, Ctrl-C ends it, and the job goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from services.job import Job, event
from services.preloaded import preloaded_lpa
from services.processes import PATIENCE

NewJob = Callable[..., Job]


def watched(job: Job, send: Callable[[], object], *options: str) -> list[dict[str, Any]]:
    """What a person sees who begins to watch, and interrupts it after records came."""
    process = subprocess.Popen(
        [preloaded_lpa(), "tap", *options, "--json"],
        cwd=job.folder,
        env={**os.environ, **job.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    job.until(lambda: "a tap is open" in job.log.read_text().splitlines()[-1], "the tap is open")
    send()
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("stage", ["read", "written"])
def test_what_passes_is_shown_and_the_job_goes_on(new_job: NewJob, stage: str) -> None:
    job = new_job()
    job.start(QUALITY_MASKED_PATHS="data.user_id=drop", QUALITY_MASK_KEY="a secret of sixteen characters")
    personal = {"type": "gateway_receive_stream_request", "stream_id": "s", "request_id": "r", "user_id": "somebody"}
    values = [event("a", data=personal), event("a", data=personal), event("b", type="unknown")]
    found = watched(job, lambda: job.produce(values), "--stage", stage, "--rate", "100")
    assert [record["offset"] for record in found] == [0, 1, 2]
    outcomes = {"read": ["", "", ""], "written": ["accepted", "duplicate", "dead letter"]}
    assert [record["outcome"] for record in found] == outcomes[stage]
    assert "somebody" not in json.dumps(found)
    job.produce([event("c")])
    job.until_committed(4)
    assert job.stop() == 0
