"""A job's admin endpoint, used as somebody with curl uses it."""

from __future__ import annotations

import json
import subprocess

from services.job import TOKEN, Job


def curl(job: Job, path: str, *options: str) -> tuple[int, str]:
    """Status and body."""
    done = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", *options, f"http://127.0.0.1:{job.port}{path}"],
        capture_output=True,
        text=True,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def stop_with_savepoint(job: Job) -> str:
    """Stop with a savepoint, in the operations guide's steps; answer its location."""
    jid = json.loads(curl(job, "/jobs/overview")[1])["jobs"][0]["jid"]
    options = ("-X", "POST", "-H", f"Authorization: Bearer {TOKEN}", "-d", '{"drain": false}')
    status, body = curl(job, f"/jobs/{jid}/stop", *options)
    assert status == 202
    request = json.loads(body)["request-id"]
    answers = []

    def completed() -> bool:
        answers.append(json.loads(curl(job, f"/jobs/{jid}/savepoints/{request}")[1]))
        return bool(answers[-1]["status"]["id"] == "COMPLETED")

    job.until(completed, "the savepoint is completed")
    assert job.wait() == 0
    location = answers[-1]["operation"]["location"]
    assert isinstance(location, str)
    return location
