"""Makes and restores savepoints of the consumer group that the settings name."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, final

import structlog

from lpa_core.data_folder import claims_name
from lpa_core.dedup.store import DedupStoreError
from lpa_core.delivery.consumer_group import Partition
from lpa_core.jobs.new_savepoint import new_savepoint
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import commit, committed_in_the_end, require_stopped
from lpa_core.kafka.permissions import require
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.manager import PluginManager
from lpa_core.savepoints import Savepoint, SavepointError
from lpa_core.settings.settings import Settings
from lpa_ops.bundle.scratch import scratch_folder
from lpa_ops.savepoint.store import FileSavepointStore, store_of

THROUGH: Final = "through.json"
"""What a worker notes beside its claims: up to which offset they go."""

_log = structlog.get_logger("lpa.savepoint")


@final
class Keeper:
    """Implements lpa_core.savepoints.SavepointKeeper."""

    def __init__(self, settings: Settings, plugins: PluginManager) -> None:
        self._settings = settings
        self._plugins = plugins

    def keep(self, savepoint: Savepoint, folders: Mapping[str, Path], location: str | None = None) -> str:
        return FileSavepointStore(location or default_location(self._settings)).create(savepoint, folders)

    def restore(self, location: str) -> Savepoint:
        return restore(location, self._settings, self._plugins)


def default_location(settings: Settings) -> str:
    """The folder or URL where savepoints are kept: LPA_SAVEPOINT_DIR."""
    return settings.lpa.savepoint_dir or str(settings.lpa.data.savepoints)


def create(settings: Settings, plugins: PluginManager, location: str | None = None) -> tuple[str, Savepoint]:
    """Make a savepoint of the stopped group, with the claims that are on this machine, and return where it is.

    Raises SavepointError, DedupStoreError, BrokerError, BrokerUnavailable.
    """
    admin = admin_client(settings)
    require("lpa savepoint", admin, settings)
    require_stopped(admin, settings)
    topics, group = settings.quality.topics, settings.quality.group_id
    now = committed_in_the_end(admin, settings)
    commits = {partition: each for partition, each in now.items() if partition.topic in topics}
    if not commits:
        raise SavepointError(
            f"the group {group} has committed nothing for {', '.join(topics)}: there is nothing to save"
        )
    here = {partition: _claims(settings, partition) for partition in sorted(commits)}
    here = {partition: folder for partition, folder in here.items() if folder.is_dir()}
    elsewhere = [str(partition) for partition in sorted(commits) if partition not in here]
    savepoint = new_savepoint(
        settings,
        plugins.plugins,
        commits,
        here,
        f"claims of {', '.join(elsewhere)} are not on this machine, or in a shared store" if elsewhere else "",
    )
    with scratch_folder(settings) as scratch:
        folders = {}
        for partition, folder in here.items():
            name = savepoint.dedup[partition]
            folders[name] = scratch / name
            snapshot(folder, folders[name], settings)
        return Keeper(settings, plugins).keep(savepoint, folders, location), savepoint


def restore(location: str, settings: Settings, plugins: PluginManager) -> Savepoint:
    """Bring committed offsets and claims back to where the savepoint has them. See SavepointKeeper.restore."""
    with scratch_folder(settings) as scratch:
        fetched = scratch / "savepoint"
        savepoint = store_of(location).open(location, fetched)
        _require_own(savepoint, location, settings, plugins)
        for name in savepoint.dedup.values():
            _require_readable(fetched / name, location, settings)
        admin = admin_client(settings)
        require("lpa savepoint", admin, settings)
        require_stopped(admin, settings)
        now = committed_in_the_end(admin, settings)
        for partition, each in savepoint.commits.items():
            if partition in now and now[partition].offset > each.offset:
                _log.warning(
                    "the group goes back; if a sink still holds these records, workers leave the partition alone "
                    "until the tables are set back too, or `lpa recover offset-loss` was run",
                    partition=str(partition),
                    offsets=f"{each.offset} to {now[partition].offset - 1}",
                )
        with ExitStack() as undone:
            for partition, name in savepoint.dedup.items():
                _replace(fetched / name, _claims(settings, partition), scratch / claims_name(*partition), undone)
            commit(admin, settings, savepoint.commits)
            undone.pop_all()
    _log.info("savepoint restored", location=location, group=savepoint.group, partitions=len(savepoint.commits))
    return savepoint


def _require_own(savepoint: Savepoint, location: str, settings: Settings, plugins: PluginManager) -> None:
    quality = settings.quality
    if savepoint.group != quality.group_id:
        raise SavepointError(
            f"{location} is of the group {savepoint.group}, not {quality.group_id}: name another savepoint, or set "
            f"QUALITY_GROUP_ID={savepoint.group}"
        )
    strange = [topic for topic in savepoint.topics if topic not in quality.topics]
    if strange:
        raise SavepointError(
            f"{location} is of the topic {', '.join(strange)}, not {', '.join(quality.topics)}: name another "
            "savepoint, or set QUALITY_INPUT_TOPIC or QUALITY_INPUT_TOPICS"
        )
    left = [topic for topic in quality.topics if topic not in savepoint.topics]
    if left and savepoint.topics:
        _log.warning("the savepoint has nothing of some topics: they stay where they are", topics=left)
    if savepoint.settings_fingerprint != fingerprint(settings, plugins.plugins):
        _log.warning(
            "the savepoint was made under other settings or plugins", location=location, made=savepoint.versions
        )


def _claims(settings: Settings, partition: Partition) -> Path:
    return settings.lpa.data.claims_of(*partition)


def snapshot(folder: Path, target: Path, settings: Settings) -> None:
    """Copy a store's claims, and the note beside them. Raises DedupStoreError if a worker has them open."""
    from lpa_core.dedup.rocksdb import RocksDBDedupStore

    store = RocksDBDedupStore(folder, settings.quality.dedup_ttl_minutes * 60_000)
    try:
        store.snapshot(target)
    finally:
        store.close()
    if (folder / THROUGH).exists():
        shutil.copyfile(folder / THROUGH, target / THROUGH)


def _require_readable(claims: Path, location: str, settings: Settings) -> None:
    from lpa_core.dedup.rocksdb import RocksDBDedupStore

    try:
        RocksDBDedupStore(claims, settings.quality.dedup_ttl_minutes * 60_000).close()
    except DedupStoreError as error:
        raise SavepointError(f"{location}: its claims cannot be read ({error}): use another savepoint") from None


def _replace(new: Path, folder: Path, aside: Path, undone: ExitStack) -> None:
    """Put ``new`` in the place of ``folder``, and have that back in it where it is ``undone``. One file system."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            folder.rename(aside)
            undone.callback(aside.rename, folder)
        new.rename(folder)
        undone.callback(folder.rename, new)
    except OSError as error:
        raise SavepointError(f"{folder} cannot be replaced: {error.strerror}; make it writable") from None
