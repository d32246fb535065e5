"""The dedup stores of a worker's partitions, and how one that is lost or behind is made whole again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, final

import attrs
import structlog
import tenacity

from lpa_core.dedup.store import (
    DamagedClaimsError,
    DedupStore,
    DedupStoreError,
    DedupStoreUnavailable,
    SupportsChangeCount,
    SupportsVouching,
)
from lpa_core.delivery.background_tasks import Background
from lpa_core.delivery.consumer_group import Partition
from lpa_core.sinks.sink import Sink, SupportsRecall

THROUGH_FILE: Final = "through.json"
_SET_ASIDE: Final = ".damaged"
"""Ends the name of a folder of damaged claims, kept for people to look at until the next one."""

_log = structlog.get_logger("lpa.dedup")


@final
@attrs.frozen(slots=True)
class DedupStores:
    """Where a worker's claims are kept.

    Attributes:
        open: the store of a partition; for a shared one the same each time.
        ttl_ms: how long a claim lives.
        shared: all workers see the same claims, whatever partition they look after.
        folder: the folder of a partition's store; None if claims end with the process.
    """

    open: Callable[[Partition], DedupStore]
    ttl_ms: int
    shared: bool
    folder: Callable[[Partition], Path | None] = lambda partition: None


@final
@attrs.frozen(slots=True)
class _Mark:
    """What stands beside a store.

    Attributes:
        through: the store has every claim before this offset.
        changes: it had so many changes then. One that has claims has at least one.
    """

    through: int = 0
    changes: int = 1


@final
class Claims:
    """Opens a partition's store, and keeps beside it how far its claims go.

    A store that was elsewhere for a while, or is new, lacks the claims of what other workers accepted. The rows of the
    sink have them: key, position and time.
    """

    def __init__(self, stores: DedupStores, sinks: Sequence[Sink]) -> None:
        self._stores = stores
        self._recalling = next((sink for sink in sinks if isinstance(sink, SupportsRecall)), None)
        self._shared: DedupStore | None = None

    def open(self, partition: Partition, committed: int) -> DedupStore:
        """The store of a partition that is finished up to ``committed``.

        One that is damaged is set aside, if a sink can tell its claims again. Raises DedupStoreError,
        DedupStoreUnavailable; LostClaimsError where a shared store has lost claims.
        """
        if not self._stores.shared:
            try:
                return self._stores.open(partition)
            except DamagedClaimsError as damage:
                self._set_aside(partition, damage)
            return self._stores.open(partition)
        if self._shared is None:
            self._shared = self._stores.open(partition)
        if isinstance(self._shared, SupportsVouching):
            self._shared.require_kept(some=committed > 0)
        return self._shared

    def _set_aside(self, partition: Partition, damage: DamagedClaimsError) -> None:
        folder = self._stores.folder(partition)
        if folder is None or self._recalling is None:
            raise damage
        aside = folder.with_name(folder.name + _SET_ASIDE)
        try:
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
        except OSError as error:
            raise DedupStoreError(f"{damage} (setting them aside as {aside}: {error.strerror})") from None
        _log.warning(
            "damaged claims are set aside and rebuilt from the sink",
            partition=str(partition),
            set_aside=str(aside),
            reason=str(damage).partition("; ")[0],
        )

    def missing_from(self, partition: Partition, store: DedupStore, committed: int) -> int | None:
        """The first offset of which claims may be missing, where the partition is finished up to ``committed``.

        Raises DedupStoreError, DedupStoreUnavailable.
        """
        if self._stores.shared:
            return None
        mark = self._mark(partition)
        if mark.through and isinstance(store, SupportsChangeCount) and (there := store.changes()) < mark.changes:
            _log.warning("claims were lost, with a file", partition=str(partition), changes=there, before=mark.changes)
            return 0
        return None if mark.through >= committed else mark.through

    def rebuild(
        self,
        partition: Partition,
        store: DedupStore,
        first: int,
        committed: int,
        now: int,
        progress: Callable[[float, int], None],
    ) -> None:
        """Read from the sink the claims of the offsets from ``first`` that are still alive at ``now`` (ms).

        ``progress`` receives the share that is done, and how many keys came since. Raises SinkUnavailable,
        SinkMisconfigured, DedupStoreUnavailable.
        """
        if self._recalling is None:
            _log.warning(
                "claims of another worker are missing, and no sink can list them: old duplicates may be accepted",
                partition=str(partition),
                offsets=f"{first} to {committed - 1}",
            )
            return
        _log.info("rebuilding claims from the sink", partition=str(partition), offsets=f"{first} to {committed - 1}")
        keys, highest = 0, first
        for stored in self._recalling.recall(partition.topic, partition.number, first, now - self._stores.ttl_ms):
            store.claim(stored.keys, partition.topic, partition.number, stored.offsets, stored.batch_time)
            keys += len(stored.keys)
            highest = max(highest, *stored.offsets)
            progress(min(1.0, (highest - first) / max(1, committed - first)), len(stored.keys))
        self.mark(partition, store, committed)
        _log.info("claims rebuilt", partition=str(partition), keys=keys)

    def mark(self, partition: Partition, store: DedupStore, through: int) -> None:
        """Write down that the store has every claim before the offset ``through``.

        A mark that is behind costs a rebuild; it is never ahead, because claims are durable before it is made.
        Raises DedupStoreError, DedupStoreUnavailable.
        """
        folder = self._stores.folder(partition)
        if folder is None:
            return
        mark = {"through": through}
        if isinstance(store, SupportsChangeCount):
            mark["changes"] = store.changes()
        temporary = folder / f"{THROUGH_FILE}.new"
        try:
            temporary.write_text(json.dumps(mark))
            temporary.replace(folder / THROUGH_FILE)
        except OSError as error:
            _log.warning("cannot mark how far claims go", folder=str(folder), problem=error.strerror)

    def through(self, partition: Partition) -> int:
        """The offset before which this machine has every claim of the partition; 0 if it has none."""
        return self._mark(partition).through

    def _mark(self, partition: Partition) -> _Mark:
        folder = self._stores.folder(partition)
        if folder is None:
            return _Mark()
        try:
            noted = json.loads((folder / THROUGH_FILE).read_bytes())
            through, changes = noted["through"], noted.get("changes", 1)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return _Mark()
        return _Mark(through, changes) if type(through) is int and type(changes) is int else _Mark()

    def release(self, store: DedupStore) -> None:
        """Let go of a partition's store."""
        if not self._stores.shared:
            store.close()

    def close(self) -> None:
        if self._shared is not None:
            self._shared.close()
            self._shared = None


def patiently(action: Callable[[], None], background: Background) -> None:
    """Do something with a dedup store, and wait while it is away: going on without it would lose claims."""
    tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(DedupStoreUnavailable),
        wait=tenacity.wait_fixed(1),
        sleep=background.sleep,
    )(action)
