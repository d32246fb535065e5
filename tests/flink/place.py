"""Topics, a database and a cluster for the job, and what has to be stored of what was sent."""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, final

import msgspec
from services.clickhouse import ClickHouseServer
from services.flink import FlinkCluster
from services.job import Job, Place

from lpa_core.jobs.assembly import build_pipeline
from lpa_core.pipeline.verdicts import Accepted, Ignored, Verdict
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import RecordBatch
from lpa_core.settings.settings import Settings

OUTCOMES: Final = ("streaming_events", "streaming_events_dlq", "streaming_events_quarantine")
USER: Final = "lpa"
KAFKA_PASSWORD: Final = "a-password-of-the-brokers"
_PATIENCE: Final = 300.0
"""Seconds: a job that fell back several times waits up to a minute before it begins again."""
_SLOWEST: Final = 100.0
"""Records a second of a busy machine."""
_DATABASE: Final = "livepeer_analytics"
_COUNT: Final = "SELECT uniqExact(p, o) FROM ({})".format(
    " UNION ALL ".join(
        [
            *(
                f"SELECT source_partition AS p, source_offset AS o FROM {_DATABASE}.{table} "
                "WHERE source_topic = {topic:String}"
                for table in OUTCOMES
            ),
            "SELECT source_partition AS p, arrayJoin(range(source_offset, next_offset)) AS o "
            f"FROM {_DATABASE}.known_gaps "
            "WHERE source_topic = {topic:String} AND reason = 'ignored'",
        ]
    )
)


@final
class FlinkPlace:
    def __init__(
        self, bootstrap: str, folder: Path, partitions: int, slots: int, checkpoint_ms: int, **settings: str
    ) -> None:
        """``settings`` are variables of the managers' environment."""
        self.clickhouse = ClickHouseServer()
        self.worker = Job(bootstrap, self.clickhouse, folder, partitions)
        """Of its topics, group and tables; as a worker it is not started unless a test does."""
        self.partitions = partitions
        self.environment = {**self.worker.environment, "CLICKHOUSE_URL": self.clickhouse.url, **settings}
        self.cluster = FlinkCluster(folder / "flink", self.environment, slots=slots, checkpoint_ms=checkpoint_ms)
        self._pipeline = build_pipeline(PluginManager(Settings()), Settings())
        self.sent: dict[Place, bytes] = {}

    def close(self) -> None:
        self.cluster.close()
        self.worker.kill()
        self.clickhouse.close()

    def send(self, values: Iterable[bytes]) -> None:
        """Send records; equal events come into one partition, as with producers that set a key."""
        self.produce(self.by_partition(values))

    def by_partition(self, values: Iterable[bytes]) -> dict[int, list[bytes]]:
        found: dict[int, list[bytes]] = {}
        for value in values:
            found.setdefault(self._partition(value), []).append(value)
        return found

    def produce(self, values: Mapping[int, list[bytes]]) -> None:
        """Send records of each partition."""
        for partition, some in values.items():
            self.sent.update(zip(self.worker.produce(some, partition), some, strict=True))

    def _partition(self, value: bytes) -> int:
        verdict = self._verdict((0, 0), value)
        key = verdict.dedup_key.encode() if isinstance(verdict, Accepted) else value
        return zlib.crc32(key) % self.partitions

    def _verdict(self, place: Place, value: bytes) -> Verdict:
        """The pure pipeline's, of a record of now: events far ahead of their record are rejected."""
        now = time.time_ns() // 1_000_000
        partition, offset = place
        batch = RecordBatch(self.worker.topic, partition, [offset], [value], [now])
        (verdict,) = self._pipeline.judge(batch, now)
        return verdict

    def stored(self) -> Counter[Place]:
        """In how many tables, and how often, each position is; those of ignored records are known gaps."""
        found = self._ignored()
        for table in OUTCOMES:
            found.update(self.worker.stored(table))
        return found

    def stored_count(self) -> int:
        """How many positions are stored. The server counts: 100,000 rows at each look would take what the job needs."""
        with self.clickhouse.client() as client:
            (row,) = client.query(_COUNT, parameters={"topic": self.worker.topic}).result_rows
        return int(row[0])

    def _ignored(self) -> Counter[Place]:
        with self.clickhouse.client() as client:
            rows = client.query(
                f"SELECT source_partition, source_offset, next_offset FROM {_DATABASE}.known_gaps "
                "WHERE source_topic = {topic:String} AND reason = 'ignored'",
                parameters={"topic": self.worker.topic},
            ).result_rows
        return Counter((partition, offset) for partition, first, end in rows for offset in range(first, end))

    def until_all_is_stored(self) -> None:
        self.until_stored(len(self.sent))

    def until_stored(self, positions: int) -> None:
        seconds = _PATIENCE + positions / _SLOWEST
        self.cluster.until(lambda: self.stored_count() >= positions, f"{positions} positions are stored", seconds)

    def faults(self, *, published_again: bool = False) -> list[str]:
        """What is not as it has to be of what was sent: each line one fault. Nothing may be in work any more.

        ``published_again``: the tables were taken back, and topics, which cannot be, have rejects of both runs.
        """
        accepted, rejected, ignored = self._expected()
        found = self.stored()
        faults = [f"{place} is not stored" for place in self.sent if place not in found]
        faults += [f"{place} is stored {times} times" for place, times in found.items() if times > 1]
        events, dead = self.worker.stored("streaming_events"), self.worker.stored("streaming_events_dlq")
        keys = Counter(accepted[place] for place in events if place in accepted)
        faults += [f"{key} is stored as {times} events" for key, times in keys.items() if times > 1]
        faults += [f"{key} is stored as no event" for key in set(accepted.values()) - set(keys)]
        faults += [f"{place} should be a dead letter" for place in rejected - set(dead)]
        faults += [f"{place} should be ignored" for place in ignored ^ set(self._ignored())]
        faults += self._typed(events)
        for topic, table in ((self.worker.dlq, OUTCOMES[1]), (self.worker.quarantine, OUTCOMES[2])):
            published = Counter(_source(message.value() or b"") for message in self.worker.records(topic))
            stored = self.worker.stored(table)
            if published_again:
                published = Counter(dict.fromkeys(published, 1))
            if published != stored:
                faults.append(f"{topic} has other records than its table: {_difference(published, stored)}")
        return faults

    def _expected(self) -> tuple[Mapping[Place, str], set[Place], set[Place]]:
        """Those that are events with their dedup keys, those that are rejected, those that are ignored."""
        accepted: dict[Place, str] = {}
        rejected, ignored = set(), set()
        for place, value in self.sent.items():
            verdict = self._verdict(place, value)
            if isinstance(verdict, Accepted):
                accepted[place] = verdict.dedup_key
            else:
                (ignored if isinstance(verdict, Ignored) else rejected).add(place)
        return accepted, rejected, ignored

    def _typed(self, events: Mapping[Place, int]) -> list[str]:
        expected: dict[str, Counter[Place]] = {}
        for place in events:
            verdict = self._verdict(place, self.sent[place])
            if isinstance(verdict, Accepted):
                for table, _ in verdict.rows:
                    expected.setdefault(table.name, Counter())[place] += 1
        return [
            f"{table} has other rows: {_difference(found, rows)}"
            for table, rows in expected.items()
            if (found := self.worker.stored(table)) != rows
        ]


def _source(envelope: bytes) -> Place:
    source: dict[str, Any] = msgspec.json.decode(envelope)["source"]
    return source["partition"], source["offset"]


def _difference(one: Counter[Place], other: Counter[Place]) -> str:
    return f"{len(one - other)} more, {len(other - one)} fewer, such as {next(iter((one - other) + (other - one)), '')}"
