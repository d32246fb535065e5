from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from lpa_core.dedup.rocksdb import RocksDBDedupStore
from lpa_core.dedup.store import DedupStore, DedupStoreError
from lpa_core.records import Position
from lpa_core.testing.dedup_suite import (
    FIRST,
    NOON,
    SECOND,
    TTL,
    DedupStoreContract,
    DurableContract,
    ExpiryContract,
    MakeStore,
    SnapshotContract,
    claim,
)


class TestRocksDBDedupStore(ExpiryContract, DurableContract, SnapshotContract, DedupStoreContract):
    @pytest.fixture
    def paths(self, tmp_path: Path) -> list[Path]:
        return [tmp_path / "claims" / "0"]

    @pytest.fixture
    def make_store(self, paths: list[Path]) -> Iterator[MakeStore]:
        stores: list[RocksDBDedupStore] = []

        def make(ttl_ms: int) -> DedupStore:
            stores.append(RocksDBDedupStore(paths[-1].with_name(str(len(stores))), ttl_ms))
            return stores[-1]

        yield make
        for store in stores:
            store.close()

    @pytest.fixture
    def reopen(self, paths: list[Path]) -> Callable[[], DedupStore]:
        return lambda: RocksDBDedupStore(paths[-1], TTL)

    @pytest.fixture
    def open_snapshot(self) -> Callable[[Path], DedupStore]:
        return lambda path: RocksDBDedupStore(path, TTL)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "claims"


def test_expired_claims_leave_the_disk(path: Path) -> None:
    store = RocksDBDedupStore(path, TTL)
    largest = 0
    for batch in range(20):
        keys = [f"{batch} {number}" for number in range(5_000)]
        store.claim(keys, "events", 0, range(5_000), NOON + batch * TTL // 2)
        largest = max(largest, store.statistics().keys)
    assert largest <= 25_000
    store.claim(["a"], "events", 0, [1], NOON + 100 * TTL)
    store.claim(["b"], "events", 0, [2], NOON + 101 * TTL)
    assert store.statistics().keys == 2
    store.close()


def test_a_changed_ttl_holds_for_old_claims_too(path: Path) -> None:
    store = RocksDBDedupStore(path, TTL)
    for batch in range(4):
        claim(store, str(batch), FIRST, NOON + batch * TTL)
    store.close()
    now = NOON + 3 * TTL + 60_000
    shorter = RocksDBDedupStore(path, 59_999)
    assert claim(shorter, "3", SECOND, now) is None
    shorter.close()
    longer = RocksDBDedupStore(path, 10 * TTL)
    assert claim(longer, "3", FIRST, now + 9 * TTL) == SECOND
    longer.close()


def test_a_stale_claim_does_not_come_back_when_the_newer_is_released(path: Path) -> None:
    store = RocksDBDedupStore(path, TTL)
    claim(store, "a", FIRST)
    claim(store, "a", SECOND, NOON + TTL + 1)
    store.release(["a"], SECOND.topic, SECOND.partition, [SECOND.offset])
    assert claim(store, "a", Position("third", 0, 0), NOON + 1) is None
    store.close()


def test_a_folder_in_use_is_named(path: Path) -> None:
    holder = _in_another_process(
        """
        store = RocksDBDedupStore(path, 1000)
        print("held", flush=True)
        sys.stdin.read()
    """,
        path,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(DedupStoreError, match="another process or store holds these dedup claims; stop it") as failure:
        RocksDBDedupStore(path, TTL)
    holder.communicate()
    assert str(path) in str(failure.value)
    assert "\n" not in str(failure.value)
    RocksDBDedupStore(path, TTL).close()


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, file / "below"):
        with pytest.raises(DedupStoreError, match="cannot keep dedup claims there") as failure:
            RocksDBDedupStore(path, TTL)
        assert str(path) in str(failure.value)


def test_damaged_claims_are_named(path: Path) -> None:
    RocksDBDedupStore(path, TTL).close()
    (path / "CURRENT").write_text("nonsense")
    with pytest.raises(DedupStoreError, match="damaged"):
        RocksDBDedupStore(path, TTL)


def test_claims_outlive_a_killed_process(path: Path) -> None:
    child = _in_another_process(
        """
        store = RocksDBDedupStore(path, 120_000)
        for batch in itertools.count():
            keys = [f"{batch} {number}" for number in range(500)]
            store.claim(keys, "events", 0, range(500), 1_767_870_000_000)
            print(batch, flush=True)
    """,
        path,
    )
    assert child.stdout is not None
    returned = [int(child.stdout.readline()) for _ in range(20)][-1]
    child.kill()
    child.communicate()
    store = RocksDBDedupStore(path, TTL)
    for batch in range(returned + 1):
        keys = [f"{batch} {number}" for number in range(500)]
        owners = store.claim(keys, "events", 1, range(500), NOON)
        assert owners == [Position("events", 0, offset) for offset in range(500)]
    store.close()


def test_a_full_disk_is_waited_out(path: Path) -> None:
    """The limit of a file's size stands for the disk's."""
    child = _in_another_process(
        """
        import resource
        def limit(size):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        store = RocksDBDedupStore(path, 120_000)
        def claim(batch, partition):
            keys = [f"{batch} {number}" for number in range(5_000)]
            return store.claim(keys, "events", partition, range(5_000), 1_767_870_000_000)
        claim(0, 0)
        limit(400_000)
        refused = []
        for batch in (1, 1):
            try:
                claim(batch, 0)
            except DedupStoreUnavailable as error:
                refused.append(error)
        limit(resource.RLIM_INFINITY)
        assert set(claim(1, 0)) == {None}
        assert claim(0, 1)[4_999] == Position("events", 0, 4_999)
        assert claim(1, 1)[4_999] == Position("events", 0, 4_999)
        print(refused[0])
    """,
        path,
    )
    output, errors = child.communicate()
    assert errors == ""
    assert output.startswith(f"{path}: the disk refuses dedup claims")


def _in_another_process(body: str, path: Path) -> subprocess.Popen[str]:
    imports = """
        import itertools, sys
        from pathlib import Path
        from lpa_core.dedup.rocksdb import RocksDBDedupStore
        from lpa_core.dedup.store import DedupStoreUnavailable
        from lpa_core.records import Position
        path = Path(sys.argv[1])
    """
    return subprocess.Popen(
        [sys.executable, "-c", dedent(imports) + dedent(body), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
