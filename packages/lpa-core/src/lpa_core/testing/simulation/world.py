"""One simulated world: workers that crash, freeze, come and go, and what is left in the end."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final, cast, final

import attrs
import structlog

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.dedup.store import DedupStore
from lpa_core.delivery.claims import DedupStores
from lpa_core.delivery.consumer_group import ConsumerGroup, OutgoingRecord, Partition
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.partitions import Phase
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.pipeline.reject_envelope import RejectEnvelope
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.testing.simulation.broker import SESSION_SECONDS, Broker, Member
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.operator import Operator
from lpa_core.testing.simulation.records import PIPELINE, draw_records, expected, refused_rows, with_gaps
from lpa_core.testing.simulation.scheduler import Host, Scheduler, SimulatedBackground, Strand
from lpa_core.testing.simulation.sink import SimulatedDatabase, SimulatedSink

TOPIC: Final = "events"
START_MS: Final = 1_768_000_000_000
"""When a world begins, epoch ms: after the events of its records."""
_TTL_MS: Final = 86_400_000
_TROUBLED_STEPS: Final = 1500
_OUTAGE_SECONDS: Final = 8.0
"""Longer than anything that a dead worker has sent is under way."""
_MAX_STEPS: Final = 60_000
_LIMITS: Final = GroupLimits(
    max_records=6, max_seconds=0.3, max_buffered_bytes=8_000, handover_seconds=1.0, stop_seconds=1.0
)


@final
@attrs.frozen
class SimulationResult:
    """What was wrong in the end, and what happened, for people."""

    seed: int
    violations: tuple[str, ...]
    trace: tuple[str, ...]
    steps: int


@final
@attrs.define(eq=False)
class _Machine:
    """Where one worker after the other runs; its disk outlives them."""

    name: str
    worker: GroupWorker | None = None
    host: Host | None = None
    strand: Strand | None = None
    processes: int = 0
    stores: dict[Partition, MemoryDedupStore] = attrs.field(factory=dict)
    restart_at: float = 0.0


@final
class _World:
    def __init__(self, seed: int, folder: Path) -> None:
        self.scheduler = Scheduler(seed)
        draw = self.scheduler.random
        embedded = draw.random() < 0.4
        self.broker = Broker(self.scheduler, TOPIC, draw.choice((2, 3, 4) if embedded else (1, 2, 3)), faults=True)
        self.database = SimulatedDatabase(self.scheduler, refused_rows, faults=True, embedded=embedded)
        self._folder = folder / str(seed)
        self._durable = draw.random() < 0.5
        # Only one process can have an embedded database open.
        self._machines = [_Machine(f"w{number}") for number in range(1 if embedded else draw.choice((1, 2, 2, 3)))]
        self._guest: Member | None = None
        self._to_come = {
            partition: with_gaps(draw, draw_records(draw, draw.randint(4, 16))) for partition in self.broker.log
        }
        self._freezes_before_reading = draw.random() < 0.3
        self._outage_at = draw.randint(1, 2 * _TROUBLED_STEPS)
        self._operator = Operator(self.broker, self.database)
        self._tampered_at = draw.randint(1, 3 * _TROUBLED_STEPS)

    def run(self) -> SimulationResult:
        scheduler = self.scheduler
        for machine in self._machines:
            self._start(machine)
        while scheduler.steps < _MAX_STEPS:
            troubled = scheduler.steps < _TROUBLED_STEPS
            self._records_come(everything=not troubled)
            self._trouble(troubled)
            scheduler.step()
            if not troubled and scheduler.steps % 50 == 0 and self._quiet():
                break
        else:
            self.broker.violations.append(f"not delivered within {_MAX_STEPS} steps")
        self._machines_off()
        return SimulationResult(0, tuple(self._violations()), tuple(scheduler.trace), scheduler.steps)

    def _records_come(self, *, everything: bool) -> None:
        for partition, values in self._to_come.items():
            while values and (everything or self.scheduler.random.random() < 0.02):
                self.broker.log[partition].append(values.pop(0))

    # Trouble.

    def _trouble(self, troubled: bool) -> None:
        scheduler, draw = self.scheduler, self.scheduler.random
        if troubled and scheduler.steps == self._outage_at:
            self._long_outage()
        if troubled and scheduler.steps >= self._tampered_at and self._operator.may_tamper():
            self._tamper()
        self._look_for_refused()
        if self.database.embedded and draw.random() < (0.002 if troubled else 0.05):
            self._let_a_guest_come_or_go(troubled)
        for machine in self._machines:
            ended = machine.strand is not None and machine.strand.ended
            if ended and machine.strand is not None and machine.strand.error is not None:
                error, machine.strand.error = machine.strand.error, None
                scheduler.trace.append(f"{machine.name} ended with {error!r}")
            if (machine.host is None or ended) and scheduler.now >= machine.restart_at:
                self._start(machine)
            if not troubled or machine.host is None or draw.random() > 0.004:
                continue
            match draw.choice(("crash", "crash", "freeze", "freeze", "stop")):
                case "crash":
                    self._crash(machine, draw.uniform(0, 5))
                case "freeze":
                    self._freeze(machine.host)
                case "stop":
                    assert machine.worker is not None
                    scheduler.trace.append(f"{machine.name} receives the order to stop")
                    machine.worker.stop()
                    machine.restart_at = scheduler.now + draw.uniform(0, 3)

    def _let_a_guest_come_or_go(self, troubled: bool) -> None:
        """Another member takes some partitions, leaves them as they are, and gives them back after a while."""
        if self._guest is not None:
            self.scheduler.trace.append("the guest goes")
            self.broker.leave(self._guest)
            self._guest = None
        elif troubled:
            self.scheduler.trace.append("a guest comes")
            self._guest = Member("guest", Host("guest"))
            self.broker.join(self._guest)

    def _long_outage(self) -> None:
        """All workers are down until the database has forgotten their tokens."""
        for machine in self._machines:
            if machine.host is not None:
                self._crash(machine, 0)
            machine.restart_at = self.scheduler.now + _OUTAGE_SECONDS
        self.scheduler.spawn(None, self._tokens_expire)

    def _tamper(self) -> None:
        """While all workers are down, the group's offsets are lost; statements of the dead are under way still."""
        for machine in self._machines:
            if machine.host is not None:
                self._crash(machine, self.scheduler.random.uniform(0, 3))
        self.broker.expire()
        self._operator.tamper()

    def _look_for_refused(self) -> None:
        """Where a worker leaves a partition to a person, one stops all of them and sets its offset right."""
        workers = [machine.worker for machine in self._machines if machine.worker is not None]
        failed = {p for worker in workers for p, state in worker.states.items() if state.phase is Phase.FAILED}
        if not failed:
            return
        self._operator.refused(failed)
        for machine in self._machines:
            if machine.host is not None:
                self._crash(machine, 0)
            machine.restart_at = self.scheduler.now + _OUTAGE_SECONDS
        self.scheduler.spawn(None, self._set_right)

    def _set_right(self) -> None:
        self.scheduler.pause(_OUTAGE_SECONDS - 1)
        self.broker.settle()
        self._operator.set_right()

    def _tokens_expire(self) -> None:
        self.scheduler.pause(_OUTAGE_SECONDS - 1)
        self.scheduler.say("the tokens are forgotten")
        self.database.forget_tokens()

    def _freeze(self, host: Host) -> None:
        until = self.scheduler.now + self.scheduler.random.uniform(0.5, 3 * SESSION_SECONDS)
        self.scheduler.trace.append(f"{host.name} freezes for {until - self.scheduler.now:.1f} s")
        host.frozen_until = until

    def _crash(self, machine: _Machine, seconds: float) -> None:
        assert machine.host is not None
        self.scheduler.trace.append(f"{machine.host.name} crashes")
        self.scheduler.kill(machine.host)
        self.database.died(machine.host)
        machine.host = machine.worker = machine.strand = None
        machine.restart_at = self.scheduler.now + seconds
        if not self._durable:
            machine.stores.clear()

    def _start(self, machine: _Machine) -> None:
        machine.processes += 1
        host = machine.host = Host(f"{machine.name}.{machine.processes}")
        background = SimulatedBackground(self.scheduler, host)
        sessions = iter(range(1, 1 << 30))

        def new_session() -> ConsumerGroup:
            session = SimulatedGroup(self.broker, host, host.name, f"{host.name}-{next(sessions)}")
            if self._freezes_before_reading:
                return cast(ConsumerGroup, _FreezingGroup(session, self, host))
            return session

        machine.worker = worker = GroupWorker(
            new_session,
            [TOPIC],
            PIPELINE,
            self._stores(machine),
            GroupDestination([SimulatedSink(self.database, host)], _publish),
            limits=_LIMITS,
            context=WorkerContext(background=background, clock=lambda: START_MS + int(self.scheduler.now * 1000)),
        )
        machine.strand = self.scheduler.spawn(host, worker.run)

    def _stores(self, machine: _Machine) -> DedupStores:
        def folder(partition: Partition) -> Path | None:
            if not self._durable:
                return None
            path = self._folder / machine.name / str(partition.number)
            path.mkdir(parents=True, exist_ok=True)
            return path

        def opened(partition: Partition) -> DedupStore:
            if not self._durable:
                return MemoryDedupStore(_TTL_MS)
            return machine.stores.setdefault(partition, MemoryDedupStore(_TTL_MS))

        return DedupStores(opened, _TTL_MS, shared=False, folder=folder)

    def _machines_off(self) -> None:
        for machine in self._machines:
            if machine.host is not None:
                self.scheduler.kill(machine.host)

    # The end.

    def _quiet(self) -> bool:
        return not self.database.running and all(
            (commit := self.broker.offsets.get(partition)) is not None
            and commit.offset == len(values)
            and not commit.metadata
            for partition, values in self.broker.log.items()
        )

    def _violations(self) -> Iterator[str]:
        yield from self.broker.violations
        yield from self._operator.violations
        yield from self._operator.of_ranges()
        wanted = expected(self.broker.log)
        rows = dict(self.database.rows)
        known = {
            (row["source_partition"], offset)
            for row in rows.pop(KNOWN_GAPS_TABLE.name, ())
            for offset in range(row["source_offset"], row["next_offset"])
        }
        yield from _differences("known gaps", Counter(wanted.gaps), Counter(known))
        found = {
            name: Counter((row["source_partition"], row["source_offset"]) for row in table)
            for name, table in rows.items()
        }
        raw = found.pop(RAW_TABLE.name, Counter())
        dead, quarantined = found.pop(DLQ_TABLE.name, Counter()), found.pop(QUARANTINE_TABLE.name, Counter())
        yield from _differences("raw", Counter(dict.fromkeys(wanted.events, 1)), raw)
        yield from _differences("typed", Counter(wanted.events), sum(found.values(), Counter()))
        yield from _differences("dead letters", Counter(dict.fromkeys(wanted.dead_letters, 1)), dead)
        yield from _differences("quarantine", Counter(dict.fromkeys(wanted.duplicates, 1)), quarantined)
        reduced = Counter(
            (row["source_partition"], row["source_offset"])
            for table in (DLQ_TABLE, QUARANTINE_TABLE)
            for row in rows.get(table.name, ())
            if row["payload_truncated"]
        )
        yield from _differences("reduced rejects", Counter(dict.fromkeys(wanted.reduced, 1)), reduced)
        for topic, places in (("dlq", wanted.dead_letters), ("quarantine", wanted.duplicates)):
            published = Counter(
                (int(partition), int(offset))
                for partition, offset in (r.key.split(b":") for r in self.broker.published if r.topic == topic)
            )
            wanted_there = dict.fromkeys(set(places) - self._operator.unpublished, 1)
            yield from _differences(f"topic {topic}", Counter(wanted_there), published)


@final
class _FreezingGroup:
    """Freezes its process now and then right before it reads what is committed: so that it reads too late."""

    def __init__(self, session: SimulatedGroup, world: _World, host: Host) -> None:
        self._session, self._world, self._host = session, world, host

    def __getattr__(self, name: str) -> object:
        scheduler = self._world.scheduler
        if name == "committed" and scheduler.steps < _TROUBLED_STEPS and scheduler.random.random() < 0.2:
            self._host.frozen_until = scheduler.now + 1.5 * SESSION_SECONDS
            scheduler.say("freezes before it reads what is committed")
        return getattr(self._session, name)


def _publish(envelope: RejectEnvelope) -> OutgoingRecord:
    topic = "quarantine" if envelope.failure.quarantined else "dlq"
    return OutgoingRecord(topic, b"%d:%d" % (envelope.source.partition, envelope.source.offset), b"")


def _differences(where: str, wanted: Counter[tuple[int, int]], found: Counter[tuple[int, int]]) -> Iterator[str]:
    for kind, difference in (("missing", wanted - found), ("too many", found - wanted)):
        for place, rows in sorted(difference.items()):
            yield f"{where}: {rows} {kind} of [{place[0]}]@{place[1]}"


def _say_nothing(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    raise structlog.DropEvent


def simulate(seed: int) -> SimulationResult:
    """Run the world of a seed to its end. The same seed gives the same outcome."""
    before = structlog.get_config()
    structlog.configure(processors=[_say_nothing])
    try:
        with tempfile.TemporaryDirectory(prefix="simulation-") as folder:
            world = _World(seed, Path(folder))
            outcome = attrs.evolve(world.run(), seed=seed)
            world.scheduler.end()
            return outcome
    finally:
        structlog.configure(**before)
