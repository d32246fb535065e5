"""Where Flink is: the package apache-flink carries the whole of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from lpa_core.errors import ConfigurationError

_ASK: Final = "import os, pyflink, lpa_flink; print(os.path.dirname(os.path.abspath(pyflink.__file__)))"
_SECONDS: Final = 60


class FlinkInstallationError(ConfigurationError):
    """Flink, Java or the Python of the job is not installed as it has to be."""


def flink_home(python: str) -> Path:
    """The folder of Flink in the environment of this Python, in which lpa-flink is, too.

    Raises FlinkInstallationError.
    """
    try:
        asked = subprocess.run([python, "-c", _ASK], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FlinkInstallationError(f"{python} does not run ({error}): name a Python by --python") from None
    home = Path(asked.stdout.strip() or ".")
    if asked.returncode or not (home / "bin" / "jobmanager.sh").is_file():
        said = (asked.stderr.strip().splitlines() or ["it has no Flink"])[-1]
        raise FlinkInstallationError(
            f"{python} has not both apache-flink and lpa-flink ({said}): name the Python of the environment that has "
            "them by --python; docs/operations/FLINK_DEPLOYMENT.md says how to make it"
        )
    if shutil.which("java") is None:
        raise FlinkInstallationError("there is no java on the PATH: install Java 17")
    return home


def default_python() -> str:
    return sys.executable
