"""Sends a run straight into the local pipeline: the spool is a source like a file, and a worker delivers it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from itertools import chain, islice
from typing import final

from lpa_core.jobs.assembly import Job
from lpa_core.jobs.file_job import WatchSource, deliver, file_checkpoint
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import RecordBatch
from lpa_core.settings.settings import Settings
from lpa_core.sources.source import SourceError
from lpa_replay.planning.plan import Plan
from lpa_replay.running.pace import SendingPace
from lpa_replay.spool.outcomes import Outgoing
from lpa_replay.spool.spool_file import SpoolReader


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

    def __init__(
        self,
        plan: Plan,
        spool: SpoolReader[Outgoing],
        left_out: Collection[int],
        pace: SendingPace,
        until: int | None = None,
    ) -> None:
        """Records with the numbers in ``left_out`` are passed over, and their offsets with them.

        The source ends before the offset ``until``, or with the spool.

        A batch is of one org: it ends before a record of another.
        """
        self.topic = spool_topic(plan.id)
        self._planned_ms, self._spool, self._left_out, self._pace = plan.created_ms, spool, left_out, pace
        self._until = spool.count if until is None else until
        self._lines = self._from(0)
        self._held: tuple[int, Outgoing] | None = None

    def seek(self, offset: int, resume: str) -> None:
        if offset and resume != self._resume(offset):
            raise SourceError(f"the spool {self._spool.path} is not the one that was read before: bring it back")
        self._lines, self._held = self._from(offset), None

    def read(self, max_records: int, max_bytes: int) -> RecordBatch | None:
        offsets: list[int] = []
        some: list[Outgoing] = []
        size = 0
        most = self._pace.at_once(max_records)
        while (following := self._following()) is not None:
            offset, each = following
            if some and each.org != some[0].org:
                break
            self._held = None
            offsets.append(offset)
            some.append(each)
            size += len(each.value)
            if len(some) >= most or size >= max_bytes:
                break
        if not some:
            return None
        self._pace.wait(len(some))
        return RecordBatch(
            self.topic,
            0,
            offsets,
            [each.value for each in some],
            [self._planned_ms if each.record_ms is None else each.record_ms for each in some],
            headers=[[(name, text.encode()) for name, text in each.headers] for each in some],
            resume=self._resume(offsets[-1] + 1),
            org=some[0].org,
        )

    def _following(self) -> tuple[int, Outgoing] | None:
        """The next line; it is still the next until ``_held`` is empty."""
        if self._held is None:
            self._held = next(self._lines, None)
        return self._held

    def _from(self, first: int) -> Iterator[tuple[int, Outgoing]]:
        lines = islice(chain.from_iterable(self._spool.lines(first)), max(0, self._until - first))
        numbered = enumerate(lines, first)
        gone = self._left_out
        return ((offset, each) for offset, each in numbered if each.number not in gone) if gone else numbered

    def _resume(self, offset: int) -> str:
        return f"{self._spool.sha256[:16]}:{offset}"

    def close(self) -> None:
        pass


def deliver_locally(
    plan: Plan,
    spool: SpoolReader[Outgoing],
    left_out: Collection[int],
    settings: Settings,
    plugins: PluginManager,
    watch: WatchSource,
    until: int | None = None,
) -> bool:
    """Store what the run sends; False if it was stopped before all of it is stored or rejected.

    ``until``: only so many of the spool's records.

    Killed or stopped and started again it goes on, each record exactly once, as an ingested file does. Raises what
    delivering raises.
    """
    source = SpoolSource(plan, spool, left_out, SendingPace(plan.asked.rate), until)
    deliver(source, _job(plan), settings, plugins, watch, recovering=True)
    return begun_locally(plan, settings) >= _behind_last(spool, left_out, spool.count if until is None else until)


def begun_locally(plan: Plan, settings: Settings) -> int:
    """How many of the spool's records are stored or rejected, or were being written when a process ended."""
    sinks = _job(plan).sinks_or_default(settings)
    with closing(file_checkpoint(spool_topic(plan.id), SpoolSource.partition, sinks, settings)) as checkpoint:
        prepared = checkpoint.prepared
        return checkpoint.progress.offset if prepared is None else prepared.end


def _behind_last(spool: SpoolReader[Outgoing], left_out: Collection[int], until: int) -> int:
    """The offset after the last record before ``until`` that is sent."""
    if not left_out:
        return until
    lines = enumerate(islice(chain.from_iterable(spool.lines()), until), 1)
    return max((behind for behind, each in lines if each.number not in left_out), default=0)


def _job(plan: Plan) -> Job:
    sinks = () if plan.asked.sink is None else (plan.asked.sink,)
    return Job(sinks=sinks, dedup=plan.asked.dedup)
