"""Stopping a job on Kafka with a savepoint: who asked, what became of it, and the savepoint itself."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import final

import attrs
import structlog

from lpa_core.admin.job import SavepointStatus, StopRefused
from lpa_core.data_folder import claims_name
from lpa_core.delivery.claims import THROUGH_FILE
from lpa_core.delivery.consumer_group import BrokerUnavailable, Commit, ConsumerGroup, Partition
from lpa_core.delivery.partitions import PartitionState
from lpa_core.jobs.new_savepoint import new_savepoint
from lpa_core.plugins.manager import PluginManager
from lpa_core.savepoints import SavepointError
from lpa_core.settings.settings import Settings
from lpa_core.uris import without_secrets

_log = structlog.get_logger("lpa.runner")


@final
@attrs.define
class _StopRequest:
    id: str
    location: str | None
    status: SavepointStatus = attrs.field(factory=lambda: SavepointStatus(completed=False))
    answered: threading.Event = attrs.field(factory=threading.Event)
    """Somebody has heard how it ended."""


@final
class SavepointStop:
    """The one stop that a job may be asked for. ``dedup`` is the URI of its dedup store."""

    def __init__(self, settings: Settings, plugins: PluginManager, dedup: str) -> None:
        self._settings, self._plugins, self._dedup = settings, plugins, dedup
        self._request: _StopRequest | None = None
        self._lock = threading.Lock()

    def ask(self, location: str | None, stop: Callable[[], None], *, running: bool) -> str:
        """Take the request, call ``stop``, and return the request's id. Raises StopRefused."""
        with self._lock:
            if self._request is not None or not running:
                raise StopRefused("the job is stopping already, or has not started: look at its state")
            self._request = _StopRequest(uuid.uuid4().hex, location)
        stop()
        return self._request.id

    def status(self, request_id: str) -> SavepointStatus | None:
        """What became of the request; None if there is no such request."""
        request = self._request
        if request is None or request.id != request_id:
            return None
        if request.status.completed:
            request.answered.set()
        return request.status

    def save(self, states: Mapping[Partition, PartitionState], group: ConsumerGroup) -> None:
        """Make the savepoint, if one was asked for. Raises SavepointError, BrokerUnavailable."""
        request = self._request
        if request is None:
            return
        try:
            location = self._make_savepoint(request, states, group.committed(tuple(states)) if states else {})
            request.status = SavepointStatus(completed=True, location=location)
            _log.info("savepoint made", location=location)
        except (SavepointError, BrokerUnavailable) as error:
            request.status = SavepointStatus(completed=True, failure=str(error))
            raise

    def _make_savepoint(
        self,
        request: _StopRequest,
        states: Mapping[Partition, PartitionState],
        commits: Mapping[Partition, Commit | None],
    ) -> str:
        scratch = Path(tempfile.mkdtemp(prefix="savepoint-", dir=self._settings.lpa.data_dir))
        try:
            taken: dict[Partition, Path] = {}
            note = ""
            for partition, state in states.items():
                if state.dedup is None:
                    continue
                target = scratch / claims_name(*partition)
                try:
                    state.dedup.snapshot(target)
                except NotImplementedError:
                    note = f"the claims are in {without_secrets(self._dedup)}"
                    break
                committed = commits[partition]
                (target / THROUGH_FILE).write_text(f'{{"through": {committed.offset if committed else 0}}}')
                taken[partition] = target
            savepoint = new_savepoint(
                self._settings,
                self._plugins.plugins,
                {partition: commit for partition, commit in commits.items() if commit is not None},
                taken,
                note,
            )
            folders = {savepoint.dedup[partition]: folder for partition, folder in taken.items()}
            return self._plugins.savepoints().keep(savepoint, folders, request.location)
        except OSError as error:
            raise SavepointError(f"no savepoint could be made in {scratch}: {error.strerror}") from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def linger(self) -> None:
        """Stay until the client that asked for the savepoint has heard where it is, or has had time to."""
        if self._request is not None:
            self._request.answered.wait(self._settings.lpa.stop_seconds)
            time.sleep(0.2)  # for the answer to get out
