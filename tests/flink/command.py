"""``lpa`` as a person gives it, in the environment of a place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from services.flink import JAR

from flink.place import FlinkPlace


def lpa(place: FlinkPlace, *arguments: str, status: int = 0, **settings: str) -> str:
    """What the command printed, or its one line of refusal."""
    environment = {
        **os.environ,
        **place.environment,
        "LPA_FLINK_ADDRESS": place.cluster.address,
        "LPA_FLINK_JAR": str(JAR),
        "LPA_FLINK_STATE_DIR": str(place.cluster.folder),
        **settings,
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lpa")), *arguments],
        env=environment,
        cwd=place.worker.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, f"{done.stdout}{done.stderr}"
    return (done.stdout if status == 0 or not done.stderr else done.stderr.splitlines()[-1]).strip()


def lpa_flink(place: FlinkPlace, *arguments: str, status: int = 0, **settings: str) -> str:
    return lpa(place, "flink", *arguments, status=status, **settings)
