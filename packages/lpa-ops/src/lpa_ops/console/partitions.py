"""How far each partition is, asked of Kafka, and what holds it up, asked of its worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, final

import attrs

from lpa_core.admin.client import job_details
from lpa_core.delivery.consumer_group import Partition
from lpa_core.errors import LpaError
from lpa_core.health.check import NotApplicable, Scope
from lpa_core.settings.settings import Settings
from lpa_ops.console.while_asked import WhileAsked
from lpa_ops.health.kafka_offsets import KafkaOffsets, Standing
from lpa_ops.positions.input_topics import reads_kafka

_EVERY_SECONDS: Final = 15

K = TypeVar("K")
V = TypeVar("V")


@final
@attrs.frozen
class PartitionFigures:
    """A partition of an input topic. What nobody knows is None.

    Attributes:
        committed: the offset that the group goes on from.
        end: the one after the last record that can be read.
        lag: records between them.
        state: what its worker does with it; empty if no worker tells.
        in_work: records that its worker has read and not finished.
        backpressured: whether its worker has paused reading because writing is behind.
    """

    topic: str
    partition: int
    committed: int | None = None
    end: int | None = None
    lag: int | None = None
    state: str = ""
    in_work: int | None = None
    backpressured: bool | None = None


@final
@attrs.frozen
class PartitionReport:
    """All partitions, the one that is furthest behind first.

    Attributes:
        asked_ms: epoch ms; None before the first answer.
        kafka_unknown, worker_unknown: why nothing is known from there; empty if it is.
        not_ready: why the worker does not keep up, a line for each reason.
    """

    partitions: Sequence[PartitionFigures] = ()
    asked_ms: int | None = None
    kafka_unknown: str = "it is being asked"
    worker_unknown: str = "it is being asked"
    not_ready: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        lags = [each.lag for each in self.partitions if each.lag is not None]
        known = [each.backpressured for each in self.partitions if each.backpressured is not None]
        return {
            **attrs.asdict(self),
            "lag": sum(lags) if lags else None,
            "in_work": None if self.worker_unknown else sum(each.in_work or 0 for each in self.partitions),
            "backpressured": any(known) if known else None,
        }


@final
class PartitionWatch:
    """Asks while somebody looks at a page. To be closed."""

    def __init__(
        self,
        standings: Callable[[], Mapping[Partition, Standing]],
        job: Callable[[], Mapping[str, Any]],
        seconds: float = _EVERY_SECONDS,
    ) -> None:
        """``standings`` asks Kafka, ``job`` the worker for its details. They may block, and raise LpaError."""
        self._standings, self._job = standings, job
        self._latest, self._turn = PartitionReport(), threading.Lock()
        self._rounds = WhileAsked("partitions", self.look, seconds)

    def latest(self) -> PartitionReport:
        """What is known now; never waits."""
        return self._latest if self._rounds.ask() else PartitionReport()

    def look(self) -> PartitionReport:
        """Ask both once, and wait for what they say. Callers take turns."""
        with self._turn:
            self._latest = self._asked()
            return self._latest

    def _asked(self) -> PartitionReport:
        standings, kafka_unknown = _answer(self._standings)
        job, worker_unknown = _answer(self._job)
        held = {Partition(each["topic"], each["partition"]): each for each in job.get("partitions", ())}
        figures = [_figures(each, standings.get(each), held.get(each)) for each in {**standings, **held}]
        figures.sort(key=lambda each: (-(each.lag or 0), each.topic, each.partition))
        now_ms = time.time_ns() // 1_000_000
        return PartitionReport(figures, now_ms, kafka_unknown, worker_unknown, job.get("not-ready", ()))

    def close(self) -> None:
        self._rounds.close()


def partition_watch(settings: Settings, sink: str | None) -> PartitionWatch:
    """A watch of the settings' topics and group, and of the worker at LPA_ADMIN_ADDRESS."""
    from_kafka = reads_kafka(settings, sink)
    opened: list[KafkaOffsets] = []

    def standings() -> Mapping[Partition, Standing]:
        if not opened:
            now_ms = time.time_ns() // 1_000_000
            opened.append(KafkaOffsets(Scope(settings, now_ms, now_ms, sink, kafka=from_kafka)))
        return opened[0].standings()

    def job() -> Mapping[str, Any]:
        if not from_kafka:
            raise NotApplicable("a job that reads files shows nothing while it runs")
        return job_details(settings.lpa.admin_address)

    return PartitionWatch(standings, job)


def _answer(ask: Callable[[], Mapping[K, V]]) -> tuple[Mapping[K, V], str]:
    """The answer, or nothing and why there is none."""
    try:
        return ask(), ""
    except LpaError as error:
        return {}, str(error)


def _figures(at: Partition, standing: Standing | None, held: Mapping[str, Any] | None) -> PartitionFigures:
    figures = PartitionFigures(at.topic, at.number)
    if held is not None:
        figures = attrs.evolve(
            figures,
            committed=held["committed-offset"],
            end=held["end-offset"],
            lag=held["lag"],
            state=held["state"],
            in_work=held.get("in-work"),
            backpressured=held["backpressured"],
        )
    if standing is not None:
        figures = attrs.evolve(figures, committed=standing.committed, end=standing.high, lag=standing.lag)
    return figures
