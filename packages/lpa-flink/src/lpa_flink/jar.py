"""The jar of the job, and which version it says it is."""

from __future__ import annotations

import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Final

from lpa_core.errors import ConfigurationError

TITLE: Final = "livepeer-analytics-flink"
"""What the jar's manifest has as Implementation-Title; its file is called after it, too."""
ENTRY_CLASS: Final = "com.livepeer.analytics.pipeline.StreamingEventsToClickHouse"
"""The class that Flink runs."""
_MANIFEST: Final = "META-INF/MANIFEST.MF"


class FlinkJarError(ConfigurationError):
    """The jar is missing, is not the job's, or is of another version than this package."""


def require_jar(path: str, version: str) -> Path:
    """The jar at ``path``, if it is the job's and of this version. Raises FlinkJarError."""
    if not path:
        raise FlinkJarError(f"no jar is named: {_remedy(version)}")
    jar = Path(path).expanduser()
    try:
        with zipfile.ZipFile(jar) as archive:
            manifest = Parser().parsestr(archive.read(_MANIFEST).decode(errors="replace"))
    except OSError as error:
        raise FlinkJarError(f"{jar}: {error.strerror}: {_remedy(version)}") from None
    except (zipfile.BadZipFile, KeyError):
        raise FlinkJarError(f"{jar} is not a whole jar: build it again, or fetch it again") from None
    title, found = manifest.get("Implementation-Title", ""), manifest.get("Implementation-Version", "")
    if title != TITLE:
        raise FlinkJarError(f"{jar} is not the job's jar: its manifest does not name {TITLE}; see LPA_FLINK_JAR")
    if found != version:
        raise FlinkJarError(f"{jar} is of version {found}, and lpa-flink of {version}: use two of one version")
    return jar


def _remedy(version: str) -> str:
    return (
        f"set LPA_FLINK_JAR to {TITLE}-{version}.jar, which `mvn --file flink-jobs/pom.xml package` makes in "
        "the source tree, below flink-jobs/target; see docs/operations/FLINK_DEPLOYMENT.md"
    )
