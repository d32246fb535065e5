"""Whose state a job's state is: by it a savepoint of another job, topic or version is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Final, final

import msgspec

from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.plugin import Plugin
from lpa_core.settings.settings import Settings
from lpa_flink.state_version import STATE_VERSION

PARAMETERS: Final = "lpa."
"""Begins the names of what a job publishes about itself (Flink's global job parameters)."""


@final
class JobIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a job says about itself.

    Attributes:
        version: of the package lpa-flink.
        fingerprint: see :func:`lpa_core.plugins.fingerprint.fingerprint`.
        topics: those that it reads, sorted.
    """

    name: str
    group: str
    topics: list[str]
    version: str
    state_version: int
    fingerprint: str

    @classmethod
    def of(cls, settings: Settings, plugins: Iterable[Plugin]) -> JobIdentity:
        """The job that these settings and plugins make."""
        return cls(
            name=settings.lpa_flink.job_name,
            group=settings.quality.group_id,
            topics=sorted(settings.quality.topics),
            version=version("lpa-flink"),
            state_version=STATE_VERSION,
            fingerprint=fingerprint(settings, plugins),
        )

    @classmethod
    def published(cls, name: str, parameters: Mapping[str, str]) -> JobIdentity | None:
        """What a job of this name published; None if the job is not lpa's."""
        said = {name.removeprefix(PARAMETERS): text for name, text in parameters.items() if name.startswith(PARAMETERS)}
        try:
            return cls(
                name=name,
                group=said["group"],
                topics=sorted(said["topics"].split(",")),
                version=said["version"],
                state_version=int(said["state_version"]),
                fingerprint=said["fingerprint"],
            )
        except (KeyError, ValueError):
            return None

    def parameters(self) -> dict[str, str]:
        """What the job publishes: :meth:`published` reads it."""
        return {
            f"{PARAMETERS}group": self.group,
            f"{PARAMETERS}topics": ",".join(self.topics),
            f"{PARAMETERS}version": self.version,
            f"{PARAMETERS}state_version": str(self.state_version),
            f"{PARAMETERS}fingerprint": self.fingerprint,
        }

    def strange_to(self, other: JobIdentity) -> Iterator[str]:
        """Why this job's state is of no use to ``other``, each with what to do; nothing if it is."""
        if self.name != other.name:
            yield f"it is of the job {self.name}, not {other.name}: set LPA_FLINK_JOB_NAME={self.name}"
        if self.topics != other.topics:
            yield (
                f"it is of the topic {', '.join(self.topics)}, not {', '.join(other.topics)}: set QUALITY_INPUT_TOPIC "
                "or QUALITY_INPUT_TOPICS"
            )
        if self.group != other.group:
            yield f"it is of the group {self.group}, not {other.group}: set QUALITY_GROUP_ID={self.group}"
        if self.state_version != other.state_version:
            yield (
                f"its state has version {self.state_version} (lpa-flink {self.version}), and lpa-flink {other.version} "
                f"reads {other.state_version}: run it with lpa-flink {self.version}, stop it with --drain, then submit"
            )

    def expected(self) -> list[str]:
        """Arguments of the job's program: the job manager has to be of this version, and judge by these rules."""
        return ["--expect-version", self.version, "--expect-fingerprint", self.fingerprint]
