"""Claims in the memory of the process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import final

from lpa_core.dedup.digest import digests
from lpa_core.dedup.store import ClaimStatistics, DedupStoreError
from lpa_core.records import Position

SNAPSHOT_FILE = "claims.json"


@final
class MemoryDedupStore:
    """A dedup store for tests and for single runs: its claims end with the process.

    About 250 bytes of memory a key. Expired claims are dropped from the oldest on at every
    claim, so that it does not grow for ever.

    Args:
        ttl_ms: how long a claim lasts.
        path: folder of a snapshot to begin with; it is read once and never written.

    Raises:
        DedupStoreError: the folder holds no snapshot of this store.
    """

    def __init__(self, ttl_ms: int, path: Path | None = None) -> None:
        self._ttl = ttl_ms
        self._claims: dict[bytes, tuple[int, Position]] = {} if path is None else _read_snapshot(path)

    def claim(
        self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int], batch_time: int
    ) -> list[Position | None]:
        claimed = list(zip(digests(keys), offsets, strict=True))
        self._drop_expired(batch_time)
        claims = self._claims
        owners: list[Position | None] = []
        for digest, offset in claimed:
            claim = claims.get(digest)
            if claim is not None and batch_time - claim[0] <= self._ttl:
                owner = claim[1]
                owners.append(None if owner == Position(topic, partition, offset) else owner)
                continue
            if claim is not None:
                del claims[digest]
            claims[digest] = (batch_time, Position(topic, partition, offset))
            owners.append(None)
        return owners

    def release(self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int]) -> None:
        for digest, offset in zip(digests(keys), offsets, strict=True):
            claim = self._claims.get(digest)
            if claim is not None and claim[1] == Position(topic, partition, offset):
                del self._claims[digest]

    def snapshot(self, target: Path) -> None:
        """Write the claims as one JSON file."""
        target.mkdir(parents=True)
        claims = [
            [digest.hex(), claimed_at, owner.topic, owner.partition, owner.offset]
            for digest, (claimed_at, owner) in self._claims.items()
        ]
        unfinished = target / f"{SNAPSHOT_FILE}.tmp"
        unfinished.write_text(json.dumps({"claims": claims}))
        unfinished.rename(target / SNAPSHOT_FILE)

    def statistics(self) -> ClaimStatistics:
        return ClaimStatistics(keys=len(self._claims), bytes_on_disk=0)

    def close(self) -> None:
        """Nothing to let go of."""

    def _drop_expired(self, batch_time: int) -> None:
        """Claims stand in the order they were made, so the first live one ends the search."""
        expired = []
        for digest, (claimed_at, _) in self._claims.items():
            if batch_time - claimed_at <= self._ttl:
                break
            expired.append(digest)
        for digest in expired:
            del self._claims[digest]


def _read_snapshot(path: Path) -> dict[bytes, tuple[int, Position]]:
    try:
        snapshot = json.loads((path / SNAPSHOT_FILE).read_bytes())
        return {
            bytes.fromhex(digest): (claimed_at, Position(topic, partition, offset))
            for digest, claimed_at, topic, partition, offset in snapshot["claims"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DedupStoreError(
            f"{path}: no snapshot of a memory dedup store ({error}); name a folder that holds {SNAPSHOT_FILE}"
        ) from error
