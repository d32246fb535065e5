"""Every path below the folder that ``LPA_DATA_DIR`` names."""

from __future__ import annotations

from pathlib import Path
from typing import final

import attrs


@final
@attrs.frozen
class DataFolder:
    """Where a machine keeps what has to outlive a process. Nothing here makes a folder or needs one to exist."""

    root: Path

    @property
    def database(self) -> Path:
        """The embedded database."""
        return self.root / "clickhouse"

    @property
    def database_uri(self) -> str:
        return f"chdb://{self.database}"

    @property
    def claims(self) -> Path:
        """The claims of all files. Those of partitions are folders in it."""
        return self.root / "dedup"

    @property
    def claims_uri(self) -> str:
        return f"rocksdb://{self.claims}"

    def claims_of(self, topic: str, partition: int) -> Path:
        return self.claims / claims_name(topic, partition)

    @property
    def checkpoints(self) -> Path:
        """How far files are read: a file for each of them and sink."""
        return self.root / "checkpoints"

    @property
    def archive_spool(self) -> Path:
        """Records that the archive has not published yet."""
        return self.root / "archive-spool"

    @property
    def savepoints(self) -> Path:
        return self.root / "savepoints"

    @property
    def flink(self) -> Path:
        """What Flink keeps, if the cluster is on this machine."""
        return self.root / "flink"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def restorations(self) -> Path:
        """A file for each database that is being brought back."""
        return self.root / "restoration"

    @property
    def recoveries(self) -> Path:
        """How far each recovery is."""
        return self.root / "recovery"

    @property
    def erasures(self) -> Path:
        """A receipt for each erasure: which positions, and nothing of what they held."""
        return self.root / "erasures"

    @property
    def replays(self) -> Path:
        """A folder for each run of a replay."""
        return self.root / "replays"

    @property
    def console_replays(self) -> Path:
        """A folder for each replay that was asked for in the console."""
        return self.root / "console" / "replays"

    @property
    def replay_plans(self) -> Path:
        """A file for each replay that an agent planned."""
        return self.root / "replay-plans"

    @property
    def mirrors(self) -> Path:
        """What was proven of each mirror of an archive."""
        return self.root / "mirrors"

    @property
    def mcp_audit(self) -> Path:
        """A line for each call that an agent made."""
        return self.root / "mcp-audit.jsonl"

    @property
    def scratch(self) -> Path:
        """What is on its way, on the file system of the claims."""
        return self.root / "scratch"


def claims_name(topic: str, partition: int) -> str:
    """Name of the folder of a partition's claims, in the data folder as in savepoints and backups."""
    return f"{topic}-{partition}"
