"""Starts and stops the cluster. It listens on loopback alone: Flink's REST runs what anybody sends it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from typing import Final, final
from urllib.parse import urlsplit

import msgspec

from lpa_core.errors import ConfigurationError, JobFailed
from lpa_core.settings.settings import Settings
from lpa_flink.local_cluster.installation import flink_home
from lpa_flink.local_cluster.processes import ClusterProcess, alive, end, start
from lpa_flink.rest import FlinkClient
from lpa_flink.rest_connection import FlinkError, FlinkUnavailable
from lpa_flink.states import for_flink, state_root

_START_SECONDS: Final = 120
_END_SECONDS: Final = 20
_LOOK_AGAIN_SECONDS: Final = 0.5


class FlinkClusterError(JobFailed):
    """The cluster of this machine did not start, or runs already."""


class FlinkLoopbackError(ConfigurationError):
    """LPA_FLINK_ADDRESS is not of this machine alone."""


@final
class _Running(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    processes: list[ClusterProcess]


@final
class LocalCluster:
    """The cluster whose files are in ``flink-cluster`` of the data folder."""

    def __init__(self, settings: Settings, client: FlinkClient) -> None:
        self.folder = settings.lpa.data_dir / "flink-cluster"
        self._settings, self._client = settings, client
        self._record = self.folder / "processes.json"

    def start(
        self,
        python: str,
        taskmanagers: int,
        progress: Callable[[str], None],
        environment: Mapping[str, str] = os.environ,
    ) -> list[ClusterProcess]:
        """Start a job manager and task managers, and return once they are there.

        ``environment`` is what jobs get, secrets among it.

        Raises FlinkClusterError, FlinkLoopbackError, FlinkInstallationError.
        """
        place = _loopback(self._client.address)
        if running := self.running():
            raise FlinkClusterError(
                f"a cluster runs already ({_named(running)}): stop it first by `lpa flink cluster stop`"
            )
        home = flink_home(python)
        self._lay_out(home, python, place)
        environment = {
            **environment,
            "FLINK_HOME": str(home),
            "FLINK_CONF_DIR": str(self.folder / "conf"),
            "FLINK_LOG_DIR": str(self.folder / "log"),
            "FLINK_LIB_DIR": str(self.folder / "lib"),
        }
        started: list[ClusterProcess] = []
        try:
            for number in range(taskmanagers + 1):
                role = "taskmanager" if number else "jobmanager"
                command = [str(home / "bin" / f"{role}.sh"), "start-foreground"]
                started.append(start(role, command, environment, self._log(role, number)))
                self._record.write_bytes(msgspec.json.encode(_Running(started)))
                progress(f"started {role} as process {started[-1].pid}")
            self._wait(started, taskmanagers)
        except BaseException:
            end(started, self.folder, seconds=_END_SECONDS)
            self._record.unlink(missing_ok=True)
            raise
        return started

    def running(self) -> list[ClusterProcess]:
        """The processes that were started here and of which something is there."""
        if not self._record.exists():
            return []
        return [each for each in self._recorded() if alive(each, self.folder)]

    def stop(self) -> tuple[list[ClusterProcess], list[ClusterProcess]]:
        """End all processes, task managers first, with the Pythons that they started; wait for their death.

        Return those that were there, and those of them that had to be killed.
        """
        there = self.running()
        killed = end(reversed(there), self.folder, seconds=_END_SECONDS)
        self._record.unlink(missing_ok=True)
        return there, killed

    def _recorded(self) -> list[ClusterProcess]:
        try:
            return msgspec.json.decode(self._record.read_bytes(), type=_Running).processes
        except (OSError, msgspec.DecodeError) as error:
            raise FlinkClusterError(
                f"{self._record} cannot be read ({error}): end the processes by hand, then remove it"
            ) from None

    def _log(self, role: str, number: int) -> Path:
        return self.folder / "log" / (f"{role}-{number}.log" if number else f"{role}.log")

    def _lay_out(self, home: Path, python: str, place: tuple[str, int]) -> None:
        for name in ("conf", "log", "tmp", "upload", "lib"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        without_secrets = files("lpa_flink.local_cluster").joinpath("log4j.properties").read_text()
        for source in (home / "conf").glob("log4j*.properties"):
            (self.folder / "conf" / source.name).write_text(f"{source.read_text()}\n{without_secrets}")
        for jar in [*(home / "lib").glob("*.jar"), *(home / "opt").glob("flink-python-*.jar")]:
            link = self.folder / "lib" / jar.name
            link.unlink(missing_ok=True)
            link.symlink_to(jar)
        common = files("lpa_flink.local_cluster").joinpath("config.yaml").read_text()
        own = "".join(f"{name}: {value}\n" for name, value in self._own(python, place))
        (self.folder / "conf" / "config.yaml").write_text(f"{common}\n{own}")

    def _own(self, python: str, place: tuple[str, int]) -> Iterator[tuple[str, str | int]]:
        host, port = place
        for name in ("rest.address", "rest.bind-address", "jobmanager.rpc.address", "jobmanager.bind-host"):
            yield name, host
        yield from {"taskmanager.host": host, "taskmanager.bind-host": host}.items()
        yield "rest.port", port
        # Beside the REST's: two clusters on one machine need two.
        yield "jobmanager.rpc.port", port + 1
        yield from {"jobmanager.memory.process.size": "1g", "taskmanager.memory.process.size": "2g"}.items()
        root = for_flink(state_root(self._settings))
        yield "execution.checkpointing.dir", f"{root}/checkpoints"
        yield "execution.checkpointing.savepoint-dir", f"{root}/savepoints"
        yield "execution.checkpointing.interval", f"{self._settings.lpa_flink.checkpoint_seconds} s"
        yield "web.upload.dir", str(self.folder / "upload")
        yield "io.tmp.dirs", str(self.folder / "tmp")
        yield from {"python.executable": python, "python.client.executable": python}.items()

    def _wait(self, started: list[ClusterProcess], taskmanagers: int) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            for number, process in enumerate(started):
                if not alive(process, self.folder):
                    raise FlinkClusterError(
                        f"the {process.role} ended as it started: {self._log(process.role, number)} says why"
                    )
            try:
                if self._client.cluster().taskmanagers == taskmanagers:
                    return
            except (FlinkUnavailable, FlinkError):
                pass
            time.sleep(_LOOK_AGAIN_SECONDS)
        raise FlinkClusterError(f"the cluster was not there within {_START_SECONDS} s: see {self.folder / 'log'}")


def _loopback(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    try:
        own = ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own or parts.scheme != "http" or parts.port is None:
        raise FlinkLoopbackError(
            f"LPA_FLINK_ADDRESS={address} is not of this machine alone: a cluster is started on an address such as "
            "http://127.0.0.1:8092, since Flink's REST asks nobody for a token"
        )
    return host, parts.port


def _named(processes: list[ClusterProcess]) -> str:
    return ", ".join(f"{each.role} {each.pid}" for each in processes)
