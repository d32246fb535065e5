"""Where the commands of ``lpa flink`` run: with a job manager's REST; integration tests ask Kafka and the tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lpa_core.plugins.manager import PluginManager
from lpa_core.savepoints import SavepointError
from lpa_core.settings.loading import load
from lpa_flink import stopping, stored, submission
from lpa_flink.testing.flink_server import FlinkServer, flink_server
from lpa_flink.testing.place import FlinkPlace, make_jar


@pytest.fixture(scope="session")
def plugins() -> PluginManager:
    return PluginManager(load({}))


@pytest.fixture(scope="session")
def server_for_all() -> Iterator[FlinkServer]:
    with flink_server() as server:
        yield server


@pytest.fixture
def place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    plugins: PluginManager,
    server_for_all: FlinkServer,
) -> FlinkPlace:
    monkeypatch.chdir(tmp_path)
    server_for_all.forget()
    made = FlinkPlace(server_for_all, tmp_path / "flink", capsys, plugins)
    for name, value in {
        "LPA_FLINK_ADDRESS": server_for_all.address,
        "LPA_FLINK_JAR": str(make_jar(tmp_path / "livepeer-analytics-flink-0.1.0.jar")),
        "LPA_FLINK_STATE_DIR": str(made.state),
        "LPA_DATA_DIR": str(tmp_path / "data"),
    }.items():
        monkeypatch.setenv(name, value)

    def require_stopped(*_: object) -> None:
        if made.members:
            raise SavepointError("the group flink-quality-gate-v1 has live members (1): stop the workers first")

    for module in (stopping, submission):
        monkeypatch.setattr(module, "admin_client", lambda settings: None)
        monkeypatch.setattr(module, "committed_in_the_end", lambda admin, settings: made.commits)
    monkeypatch.setattr(submission, "require_stopped", require_stopped)
    monkeypatch.setattr(stopping, "commit", lambda admin, settings, commits: made.commits.update(commits))
    for module in (stopping, stored):
        monkeypatch.setattr(module, "stored_from", made.stored_from)
    return made
