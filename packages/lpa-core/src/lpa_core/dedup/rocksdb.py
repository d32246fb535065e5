"""Claims in RocksDB files."""

from __future__ import annotations

import struct
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, final

from rocksdict import WriteBatch

from lpa_core.dedup.digest import DIGEST_BYTES, digests
from lpa_core.dedup.rocksdb_files import ClaimFiles
from lpa_core.dedup.store import ClaimStatistics, DamagedClaimsError, DedupStoreUnavailable
from lpa_core.records import Position

T = TypeVar("T")

_CLAIM = struct.Struct(">QIQ")
"""Claim time (epoch ms), number of the source, offset. The time first, so that bytes compare as times do."""
_TIME = struct.Struct(">Q")


@final
class RocksDBDedupStore:
    """A dedup store in a folder of its own, of which memory stays the same no matter how many keys it holds.

    A key takes about 40 bytes on disk (16 of digest, 20 of claim, its filter and the rest of RocksDB). A claim
    whose call has returned outlives a killed process and a power cut: each call that claims anything new is one
    write, synced to disk once.

    Claims are kept in generations, each as long as the TTL, and an expired generation is dropped whole: so the disk
    holds claims for at most twice the TTL. Whether a claim has expired is always judged by its own time.

    Args:
        path: the folder; made where it is missing. A snapshot's folder gives the claims as they were.
        ttl_ms: how long a claim lasts. May differ from the last time the folder was opened.

    Raises:
        DedupStoreError: another process holds the folder, or it cannot be used.
    """

    def __init__(self, path: Path, ttl_ms: int) -> None:
        self._path = path
        self._ttl = ttl_ms
        self._files: ClaimFiles | None = ClaimFiles(path, ttl_ms)

    def claim(
        self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int], batch_time: int
    ) -> list[Position | None]:
        if not keys:
            return []
        return self._use(lambda files: self._claim(files, keys, topic, partition, offsets, batch_time))

    def release(self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int]) -> None:
        self._use(lambda files: self._release(files, keys, topic, partition, offsets))

    def snapshot(self, target: Path) -> None:
        """Make a RocksDB checkpoint: files that never change are linked, where the file system can."""
        if target.exists():
            raise FileExistsError(f"{target}: exists; a snapshot needs a new folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        self._use(lambda files: files.checkpoint(target))

    def statistics(self) -> ClaimStatistics:
        def counted(files: ClaimFiles) -> int:
            files.require_folder()
            return files.count()

        keys = self._use(counted)
        return ClaimStatistics(keys, sum(_size(file) for file in self._path.iterdir()))

    def changes(self) -> int:
        return self._use(lambda files: files.changes())

    def close(self) -> None:
        files, self._files = self._files, None
        if files is not None:
            files.close()

    def _claim(
        self,
        files: ClaimFiles,
        keys: Sequence[str],
        topic: str,
        partition: int,
        offsets: Sequence[int],
        batch_time: int,
    ) -> list[Position | None]:
        current = files.begin(batch_time)
        oldest_live = _TIME.pack(max(0, batch_time - self._ttl))
        names = digests(keys)
        batch = WriteBatch(raw_mode=True)
        held: dict[int, bytes] = {}
        for generation in files.generations:
            for index, claim in enumerate(files.find(generation, names)):
                if claim is None:
                    continue
                if claim >= oldest_live:
                    held[index] = claim
                else:
                    batch.delete(names[index], generation.handle)

        source = files.source_number(topic, partition)
        new: dict[bytes, bytes] = {}
        owners: list[Position | None] = [None] * len(names)
        for index, (name, offset) in enumerate(zip(names, offsets, strict=True)):
            mine = _CLAIM.pack(batch_time, source, offset)
            claim = held.get(index) or new.setdefault(name, mine)
            if claim is not mine and claim[_TIME.size :] != mine[_TIME.size :]:
                _, owner, owner_offset = _CLAIM.unpack(claim)
                owners[index] = files.position(owner, owner_offset)

        if new:
            batch.set_default_column_family(current.handle)
            # In the order of their keys: each is looked for in the memory table from where the one before went. Bytes
            # are sorted in a fraction of the time that pairs of them take.
            for entry in sorted([name + claim for name, claim in new.items()]):
                batch[entry[:DIGEST_BYTES]] = entry[DIGEST_BYTES:]
            files.write(batch)
        return owners

    def _release(
        self, files: ClaimFiles, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int]
    ) -> None:
        source = files.source_number(topic, partition)
        names = digests(keys)
        batch = WriteBatch(raw_mode=True)
        for generation in files.generations:
            for name, offset, claim in zip(names, offsets, files.find(generation, names), strict=True):
                if claim is not None and _CLAIM.unpack(claim)[1:] == (source, offset):
                    batch.delete(name, generation.handle)
        if len(batch):
            files.write(batch)

    def _use(self, action: Callable[[ClaimFiles], T]) -> T:
        """Run the action on the files. Where the disk refuses, the next action opens them again."""
        try:
            if self._files is None:
                self._files = ClaimFiles(self._path, self._ttl)
            return action(self._files)
        except (DedupStoreUnavailable, DamagedClaimsError) as failure:
            kind, problem = type(failure), str(failure)
            _let_go(failure)
        # Not inside the handler: the traceback there keeps alive what keeps the folder locked.
        with suppress(DedupStoreUnavailable, DamagedClaimsError):
            self.close()
        raise kind(problem)


def _let_go(failure: BaseException) -> None:
    """Empty the frames that the failure passed: from Python 3.12 on, something else may keep them, and so the lock."""
    error: BaseException | None = failure
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # compaction removes files at any time
        return 0
