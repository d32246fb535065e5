"""Lag is what a consumer of committed records is behind; Kafka is stood in for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lpa_core.delivery.consumer_group import Partition
from lpa_core.health.check import Finding, Scope
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_ops.health.checks import consumer_lag
from lpa_ops.health.kafka_offsets import Standing

ZERO, ONE = Partition("events", 0), Partition("events", 1)
NOW = 1_767_900_000_000


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """Judges standings, where so many records can be read of each partition, and transactions are open since then."""

    def judge(standings: Mapping[Partition, Standing], readable: int = 0, open_minutes: int = 0) -> Finding:
        class Offsets:
            def __init__(self, scope: Scope) -> None: ...

            def standings(self) -> Mapping[Partition, Standing]:
                return standings

            def ends_at(self, epoch_ms: int) -> Mapping[Partition, int]:
                return {}

        class Topic:
            def __init__(self, settings: Settings, seconds: float) -> None: ...

            def count(self, partition: Partition, span: OffsetSpan) -> int:
                return min(readable, span.size)

            def open_since(self, partition: Partition, offset: int) -> int | None:
                assert offset == standings[partition].high
                return NOW - open_minutes * 60_000

            def close(self) -> None: ...

        monkeypatch.setattr(consumer_lag, "KafkaOffsets", Offsets)
        monkeypatch.setattr(consumer_lag, "InputTopics", Topic)
        sink = f"chdb://{tmp_path / 'none'}"
        return consumer_lag.judge(Scope(Settings(), NOW, NOW - 3_600_000, sink, kafka=True))

    return judge


def test_failure_13_aborted_records_are_counted_out(judged: Any) -> None:
    behind = {ZERO: Standing(0, 600_002, 0, 600_002), ONE: Standing(0, 10, 10, 10)}
    assert (judged(behind).state, judged(behind).value) == (State.OK, 0)
    assert (judged(behind, readable=550_000).state, judged(behind, readable=550_000).value) == (State.CRITICAL, 550_000)


def test_failure_13_a_transaction_that_is_open_for_long_is_named(judged: Any) -> None:
    open_ = {ZERO: Standing(0, 10, 10, 11), ONE: Standing(0, 50, 50, 600_050)}
    assert judged(open_, open_minutes=5).state is State.OK
    found = judged(open_, open_minutes=20)
    assert found.state is State.WARNING
    assert "events[1]: a transaction that began 20 minutes ago, at offset 50, is still open: 600,000" in found.detail
    assert "kafka-transactions.sh" in found.action
