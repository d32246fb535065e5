"""``lpa health`` of a job, as somebody beside it asks for it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from services.job import Job
from services.preloaded import preloaded_lpa


def health(job: Job, *arguments: str, **environment: str) -> dict[str, Any]:
    """Results of `lpa health` by name."""
    command = [str(preloaded_lpa()), "health", "--json", "--sink"]
    done = subprocess.run(
        [*command, f"clickhouse://127.0.0.1:{job.clickhouse.port}", *arguments],
        cwd=job.folder,
        env={**os.environ, **job.environment, "HEALTH_TIMEOUT_SECONDS": "30", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert (report["state"] == "critical") == (done.returncode == 1)
    return {check["name"]: check for check in report["checks"]}
