from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.dedup.store import DedupStore, DedupStoreError
from lpa_core.testing.dedup_suite import NOON, TTL, DedupStoreContract, ExpiryContract, MakeStore, SnapshotContract


class TestMemoryDedupStore(ExpiryContract, SnapshotContract, DedupStoreContract):
    @pytest.fixture
    def make_store(self) -> MakeStore:
        return MemoryDedupStore

    @pytest.fixture
    def open_snapshot(self) -> Callable[[Path], DedupStore]:
        return lambda path: MemoryDedupStore(TTL, path)

    def test_expired_claims_are_dropped(self) -> None:
        store = MemoryDedupStore(TTL)
        for batch in range(100):
            keys = [f"{batch} {number}" for number in range(10)]
            store.claim(keys, "events", 0, range(10), NOON + batch * TTL // 2)
        assert store.statistics().keys == 30

    @pytest.mark.parametrize("content", [None, "", "{}", '{"claims": [["zz", 1, "t", 0, 1]]}'])
    def test_a_folder_without_a_snapshot_is_named(self, tmp_path: Path, content: str | None) -> None:
        if content is not None:
            (tmp_path / "claims.json").write_text(content)
        with pytest.raises(DedupStoreError, match="no snapshot of a memory dedup store") as failure:
            MemoryDedupStore(TTL, tmp_path)
        assert str(tmp_path) in str(failure.value)
        assert "\n" not in str(failure.value)
