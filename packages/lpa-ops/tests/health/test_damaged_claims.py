"""Health opens the claims: those that cannot be opened are critical, whether or not a worker has them open."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from lpa_core.data_folder import claims_name
from lpa_core.dedup.rocksdb import RocksDBDedupStore
from lpa_core.delivery.claims import THROUGH_FILE
from lpa_core.delivery.consumer_group import Partition
from lpa_core.health.check import Finding, Scope
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State
from lpa_core.testing.claim_damage import DAMAGE, closed_store
from lpa_ops.health.checks.dedup_store import judge
from lpa_ops.health.kafka_offsets import KafkaOffsets, Standing

NOW = 1_767_900_000_000
TTL = 86_400_000
PARTITION = Partition("events", 0)


def judged(folder: Path, *, kafka: bool = False) -> Finding:
    return judge(Scope(Settings(), NOW, NOW - TTL, dedup=f"rocksdb://{folder}", kafka=kafka))


@pytest.fixture
def partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a partition's claims, as a worker leaves it."""
    monkeypatch.setattr(
        KafkaOffsets, "standings", lambda offsets: {PARTITION: Standing(*([3000] * len(attrs.fields(Standing))))}
    )
    folder = tmp_path / claims_name(*PARTITION)
    closed_store(folder, TTL, NOW, 3000)
    (folder / THROUGH_FILE).write_text('{"through": 3000}')
    return folder


@pytest.mark.parametrize("name", DAMAGE)
def test_failure_14_health_tells_damaged_claims_of_a_partition(partition: Path, name: str) -> None:
    assert judged(partition.parent, kafka=True).state is State.OK
    DAMAGE[name](partition)
    found = judged(partition.parent, kafka=True)
    assert found.state is State.CRITICAL
    assert "the dedup claims are damaged" in found.detail
    assert str(partition) in found.detail
    assert "reads them back from ClickHouse" in found.action


def test_failure_17_claims_that_are_on_no_disk_here_are_not_called_complete(partition: Path) -> None:
    partition.rename(partition.with_name("of another topic"))
    found = judged(partition.parent, kafka=True)
    assert "of 1 partitions no claims are on this machine" in found.detail
    assert "complete" not in found.detail


def test_failure_14_health_tells_damaged_claims_of_files(tmp_path: Path) -> None:
    closed_store(tmp_path, TTL, NOW, 3000)
    assert judged(tmp_path).state is State.OK
    DAMAGE["MANIFEST is missing"](tmp_path)
    found = judged(tmp_path)
    assert found.state is State.CRITICAL
    assert f"{tmp_path}: the dedup claims are damaged" in found.detail
    assert "`lpa backup restore`" in found.action


def test_claims_that_a_worker_has_open_are_looked_at_without_disturbing_it(tmp_path: Path) -> None:
    store = RocksDBDedupStore(tmp_path, TTL)
    for batch in range(5):
        store.claim([f"{batch}-{n}" for n in range(500)], "events", 0, range(500), NOW)
        assert judged(tmp_path).state is State.OK
    assert store.claim(["0-0"], "events", 1, [0], NOW) != [None]
    store.close()
