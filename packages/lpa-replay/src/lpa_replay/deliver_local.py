"""Sends a run straight into the local pipeline: the spool is a source like a file, and a worker delivers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

from lpa_core.jobs import Job
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import RecordBatch
from lpa_core.runner import WatchSource, deliver
from lpa_core.settings import Settings
from lpa_core.sources.source import SourceError
from lpa_replay.outcomes import Outgoing
from lpa_replay.pace import Pace
from lpa_replay.plan import Plan
from lpa_replay.spool import SpoolReader


def spool_topic(replay_id: str) -> str:
    """The topic that replayed records have in the tables."""
    return f"replay-{replay_id}"


@final
class SpoolSource:
    """The records of a run as partition 0 of the run's own topic; the offset is the record's index in the spool."""

    partition = 0
    repeatable = True
    size = None
    bytes_read = 0

    def __init__(self, plan: Plan, spool: SpoolReader[Outgoing], pace: Pace) -> None:
        self.topic = spool_topic(plan.id)
        self._planned_ms, self._spool, self._pace = plan.created_ms, spool, pace
        self._next = self.begun_at = 0
        self._lines: Iterator[Sequence[Outgoing]] = iter(())
        self._held: list[Outgoing] = []

    def seek(self, offset: int, resume: str) -> None:
        if offset and resume != self._resume(offset):
            raise SourceError(f"the spool {self._spool.path} is not the one that was read before: bring it back")
        self._next = self.begun_at = offset
        self._lines = self._spool.lines(offset)

    def read(self, max_records: int, max_bytes: int) -> RecordBatch | None:
        some = self._take(self._pace.at_once(max_records), max_bytes)
        if not some:
            return None
        self._pace.wait(len(some))
        offsets = range(self._next, self._next + len(some))
        self._next += len(some)
        return RecordBatch(
            self.topic,
            0,
            offsets,
            [each.value for each in some],
            [self._planned_ms if each.record_ms is None else each.record_ms for each in some],
            resume=self._resume(self._next),
        )

    def _take(self, max_records: int, max_bytes: int) -> list[Outgoing]:
        some: list[Outgoing] = []
        size = 0
        while len(some) < max_records and size < max_bytes:
            if not self._held:
                self._held = list(next(self._lines, ()))
                self._held.reverse()
                if not self._held:
                    break
            some.append(self._held.pop())
            size += len(some[-1].value)
        return some

    def _resume(self, offset: int) -> str:
        return f"{self._spool.sha256[:16]}:{offset}"

    def close(self) -> None:
        pass


def deliver_locally(
    plan: Plan, spool: SpoolReader[Outgoing], settings: Settings, plugins: PluginManager, watch: WatchSource
) -> int:
    """Store what the run sends, and answer how many records of it are stored or rejected by now.

    Killed or stopped and begun again it goes on, each record exactly once, as an ingested file does. Raises what
    delivering raises.
    """
    source = SpoolSource(plan, spool, Pace(plan.asked.rate))
    sinks = () if plan.asked.sink is None else (plan.asked.sink,)
    report = deliver(source, Job(sinks=sinks, dedup=plan.asked.dedup), settings, plugins, watch)
    return source.begun_at + report.read
