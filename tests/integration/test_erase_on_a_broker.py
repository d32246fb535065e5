"""An erasure beside a group: not while it runs, and its workers go on afterwards without what was erased."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from services.job import Job, event

from lpa_core.cli import run

NewJob = Callable[..., Job]
OF_THEM = {"type": "gateway_receive_stream_request", "stream_id": "theirs", "request_id": "r", "user_id": "someone"}


def test_workers_go_on_without_what_was_erased(
    new_job: NewJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = new_job()
    for name, value in job.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(job.folder)
    words = ["erase", "run", "--path", "data.user_id", "--value", "someone", "--archive", "archive", "--sink", job.sink]
    job.start("--archive", "archive")
    job.produce([event("a"), event("b", data=OF_THEM), event("c"), event("d", data=OF_THEM)])
    job.until_committed(4)
    assert run([*words[:6], *words[8:]]) == 1
    problem = capsys.readouterr().err
    assert "has live members" in problem
    assert job.stored() == Counter((0, offset) for offset in range(4))
    assert job.stop() == 0

    assert run(words) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{job.topic}: Kafka keeps it until its retention" in said
    assert job.stored() == Counter({(0, 0): 1, (0, 2): 1})
    job.start("--archive", "archive")
    job.produce([event("e"), event("b", data=OF_THEM)])
    job.until_committed(6)
    assert job.stop() == 0
    assert job.stored() == Counter({(0, 0): 1, (0, 2): 1, (0, 4): 1})
    assert job.stored("streaming_events_quarantine") == Counter({(0, 5): 1})
    assert run(["health", "--sink", job.sink, "--json"]) in (0, 1)
    found = capsys.readouterr().out
    assert '"conservation"' in found
    assert run(words) == 0, "what was sent again is a record of its own"
    assert job.stored("streaming_events_quarantine") == Counter()
