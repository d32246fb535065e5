"""Where the commands of ``lpa flink`` run in tests: a job manager's REST, and what Kafka and the tables say."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs
import cyclopts
import pytest

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.errors import LpaError
from lpa_core.plugins.context import AppContext
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load
from lpa_core.settings.settings import Settings
from lpa_core.sinks.sink import StoredOffsets
from lpa_flink.commands.flink import flink_app
from lpa_flink.testing.flink_server import FlinkServer

P0: Final = Partition("streaming_events", 0)
_GROUPS: Final = ("QUALITY_", "CLICKHOUSE_", "LPA_")


@attrs.define
class FlinkPlace:
    """Where the commands run, and what they find there.

    Attributes:
        commits: of the group.
        rows: for each partition, the highest offset that the tables hold.
        members: whether the group has some.
    """

    server: FlinkServer
    state: Path
    capsys: pytest.CaptureFixture[str]
    plugins: PluginManager
    commits: dict[Partition, Commit] = attrs.field(factory=lambda: {P0: Commit(100, "")})
    rows: dict[Partition, int] = attrs.field(factory=lambda: {P0: 89})
    members: bool = False
    _given: dict[str, str] = attrs.field(factory=dict[str, str])
    _settings: Settings = attrs.field(factory=Settings)

    def lpa(self, *arguments: str) -> tuple[int, str, str]:
        """The exit status, what was printed, and the error. As ``lpa`` does it, without loading plugins each time."""
        app = cyclopts.App(result_action="return_value")
        app.command(flink_app(AppContext(self.settings, self.plugins)))
        status, error = 0, ""
        try:
            outcome = app(["flink", *arguments], exit_on_error=False, print_error=False)
            status = outcome if isinstance(outcome, int) else 0
        except LpaError as raised:
            status, error = raised.exit_status, str(raised)
        return status, self.capsys.readouterr().out.strip(), error

    @property
    def settings(self) -> Settings:
        """Those of the environment."""
        given = {name: value for name, value in os.environ.items() if name.startswith(_GROUPS)}
        if given != self._given:
            self._given, self._settings = given, load(given)
        return self._settings

    def stored_from(self, _: object, first: Mapping[Partition, int]) -> dict[Partition, StoredOffsets]:
        return {
            partition: StoredOffsets(offset, self.rows[partition])
            for partition, offset in first.items()
            if self.rows.get(partition, -1) >= offset
        }


def make_jar(path: Path, version: str = "0.1.0") -> Path:
    with zipfile.ZipFile(path, "w") as jar:
        jar.writestr(
            "META-INF/MANIFEST.MF",
            f"Implementation-Title: livepeer-analytics-flink\r\nImplementation-Version: {version}\r\n",
        )
    return path
