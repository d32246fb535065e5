"""Carries a plan out: stage, write down, deliver. Each step is finished before the next, and found finished later."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.delivery.consumer_group import BrokerError
from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.source_worker import StepListener
from lpa_core.jobs.assembly import build_pipeline
from lpa_core.jobs.file_job import WatchSource
from lpa_core.jobs.process import quiet_collector, stopped_by_signals
from lpa_core.plugins.manager import PluginManager
from lpa_core.release import require_clock
from lpa_core.replays import ReplayError, ReplayRefused
from lpa_core.settings.settings import Settings
from lpa_core.sources.source import Source
from lpa_core.tables.row_layout import QUARANTINE_TABLE
from lpa_replay.audit import record_outcomes, record_run, run_record
from lpa_replay.database import ReplayDatabase, opened
from lpa_replay.planning.plan import TOPIC, Plan
from lpa_replay.running.canary_check import CanaryFindings, canary_findings, refusal, write_canary_results
from lpa_replay.running.deliver_local import begun_locally, deliver_locally
from lpa_replay.running.pace import SendingPace
from lpa_replay.running.quarantine import quarantine_rows
from lpa_replay.running.resume import outcomes_of, without_stored
from lpa_replay.sources.kafka_settings import replay_settings
from lpa_replay.sources.opening import open_source
from lpa_replay.sources.source import ReplaySource
from lpa_replay.spool.run_folder import Canary, RunFolder, StagedManifest
from lpa_replay.staging.canary import CanaryRequest
from lpa_replay.staging.destination import Destination
from lpa_replay.staging.forecast import Forecast
from lpa_replay.staging.prepare import Preparation
from lpa_replay.staging.repairs import repairs_of
from lpa_replay.staging.stager import Stager
from lpa_replay.staging.stored_knowledge import StoredKnowledge

_ARRIVAL_SECONDS: Final = 300.0
"""How long a canary's records may take through the input topic, its workers and the sink."""
_LOOK_AGAIN_SECONDS: Final = 1.0


class RunState(StrEnum):
    """Of a run, as ``replay_runs`` has it."""

    STAGED = "staged"
    DELIVERED = "delivered"
    VERIFIED = "verified"
    FAILED = "failed"


def _now() -> int:
    return require_clock(time.time_ns() // 1_000_000)


@final
@attrs.frozen
class Replays:
    """What plans and runs are made with. ``clock`` gives epoch ms."""

    settings: Settings
    plugins: PluginManager
    clock: Callable[[], int] = _now

    @property
    def root(self) -> Path:
        return self.settings.lpa.data.replays

    def foresee(self, plan: Plan) -> tuple[Plan, Forecast]:
        """The plan with its bounds and number of records, and what a run of it would do."""
        with ExitStack() as stack:
            database = stack.enter_context(opened(plan.asked.sink, self.settings, make=_makes(plan)))
            plan, source = self._open(plan, stack)
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="lpa-replay-"))
            with quiet_collector():
                forecast = self._stager(plan, source, database).foresee(plan, source, Path(scratch))
        return attrs.evolve(plan, selected=forecast.selected), forecast

    def run(
        self,
        plan: Plan,
        watch: WatchSource,
        progress: Callable[[int, int], None],
        canary: CanaryRequest | None = None,
    ) -> dict[str, Any]:
        """Carry the plan out, or what a killed process left of it, and answer its figures.

        Args:
            watch: is shown the spool as a source, where it is delivered locally.
            progress: receives how many records of how many are sent, where they go into a topic.
            canary: is sent and judged first; a run that began with one goes on with it, if this is None, too.

        Raises CanaryFailedError if the canary came out otherwise than planned: the rest is not sent then. Raises
        ReplayError, ReplayRefused, and what sources, sinks and Kafka raise. Run again it goes on.
        """
        folder = RunFolder(self.root, plan.id)
        with folder.locked(plan):
            if folder.delivered:
                return _figures(folder, already=True)
            _require_client(plan)
            with opened(plan.asked.sink, self.settings, make=_makes(plan)) as database:
                database.require("replay_runs", "replay_outcomes")
                manifest = folder.manifest
                if manifest is None:
                    manifest = self._staged(plan, folder, database, canary)
                else:
                    _require_same_canary(plan, manifest, canary)
                    if not plan.asked.force:
                        manifest = self._looked_over(plan, folder, manifest, database)
                record_outcomes(database, plan, outcomes_of(manifest, folder), manifest.staged_ms)
                self._record(database, plan, manifest, RunState.STAGED, folder.passed_canary)
            deliver = partial(self._deliver, plan, folder, manifest, watch, progress)
            if manifest.canary is not None and folder.passed_canary is None:
                _require_all_sent(plan, sent=deliver(manifest.canary.records))
                self._judge_canary(plan, folder, manifest, manifest.canary)
            if canary is not None and canary.only:
                return _figures(folder, already=False)
            _require_all_sent(plan, sent=deliver())
            with opened(plan.asked.sink, self.settings) as database:
                for columns, token in quarantine_rows(plan, folder.exhausted(manifest)):
                    database.insert(QUARANTINE_TABLE, columns, token)
                self._record(database, plan, manifest, RunState.DELIVERED, folder.passed_canary)
            folder.finish_delivery(self.clock())
            return _figures(folder, already=False)

    def _judge_canary(self, plan: Plan, folder: RunFolder, manifest: StagedManifest, canary: Canary) -> None:
        """Raises CanaryFailedError, and ReplayError if it was stopped or records have not arrived in time."""
        with opened(plan.asked.sink, self.settings) as database:
            findings = self._arrived_canary(database, plan, canary)
            check = findings.check(canary)
            now = self.clock()
            write_canary_results(database, plan, canary, now)
            self._record(database, plan, manifest, RunState.STAGED, check)
        if not check["passed"]:
            raise refusal(plan, check, folder.outgoing(manifest).count - canary.records)
        folder.pass_canary(check)

    def _arrived_canary(self, database: ReplayDatabase, plan: Plan, canary: Canary) -> CanaryFindings:
        """What became of it, once its records have arrived: they take a moment by way of a topic."""
        stop = _Stop()
        with stopped_by_signals(stop):
            until = time.monotonic() + (_ARRIVAL_SECONDS if plan.asked.target == TOPIC else 0)
            while True:
                findings = canary_findings(database, plan, canary)
                if not findings.missing or len(findings.deviating) > sum(each.missing for each in findings.outcomes):
                    return findings
                if time.monotonic() >= until or stop.wait(_LOOK_AGAIN_SECONDS):
                    raise ReplayError(
                        f"replay {plan.id}: {findings.missing:,} of the canary's {findings.records:,} records have not "
                        "arrived: see that `lpa ingest` is running, and run the same again, it goes on"
                    )

    def _staged(
        self, plan: Plan, folder: RunFolder, database: ReplayDatabase, canary: CanaryRequest | None
    ) -> StagedManifest:
        share = None if canary is None else canary.share
        with ExitStack() as stack:
            _, source = self._open(plan, stack)
            with quiet_collector():
                manifest = self._stager(plan, source, database).stage(plan, source, folder, share)
        found = manifest.figures["selected"]
        if plan.selected is not None and found != plan.selected:
            folder.discard_staging()
            raise ReplayError(
                f"the source holds other records than when it was planned ({found} now, {plan.selected} then): "
                "plan again"
            )
        return manifest

    def _looked_over(
        self, plan: Plan, folder: RunFolder, manifest: StagedManifest, database: ReplayDatabase
    ) -> StagedManifest:
        begun = folder.noted_sent if plan.asked.target == TOPIC else begun_locally(plan, self.settings)
        forecast = Forecast(plan.created_ms, self._ttl_ms)
        return without_stored(manifest, folder, StoredKnowledge(database, plan.id), begun, forecast, self.clock())

    @property
    def _ttl_ms(self) -> int:
        return self.settings.quality.dedup_ttl_minutes * 60_000

    def _open(self, plan: Plan, stack: ExitStack) -> tuple[Plan, ReplaySource]:
        """The source, and the plan with the source's bounds."""

        def connection() -> ReplayDatabase:
            return stack.enter_context(opened(plan.asked.sink, self.settings))

        source = open_source(
            plan.asked.source, plan.asked.archive, plan.selection, self.settings, connection, plan.bounds or None
        )
        stack.enter_context(closing(source))
        return attrs.evolve(plan, bounds=source.bounds), source

    def _stager(self, plan: Plan, source: ReplaySource, database: ReplayDatabase) -> Stager:
        preparation = Preparation(
            build_pipeline(self.plugins, self.settings),
            repairs_of(plan, self.plugins),
            replay_id=plan.id,
            source=source.name,
            marked_at=plan.created_ms,
            destination=Destination.of(self.settings, kafka=plan.asked.target == TOPIC),
        )
        return Stager(
            preparation,
            StoredKnowledge(database, plan.id),
            self.settings.clickhouse.sink_max_record_bytes,
            self._ttl_ms,
            self.clock,
        )

    def _deliver(
        self,
        plan: Plan,
        folder: RunFolder,
        manifest: StagedManifest,
        watch: WatchSource,
        progress: Callable[[int, int], None],
        until: int | None = None,
    ) -> bool:
        outgoing, exhausted = folder.outgoing(manifest), folder.exhausted(manifest)
        if plan.asked.target != TOPIC:
            noted = partial(_noted, folder, watch)
            return deliver_locally(plan, outgoing, manifest.left_out, self.settings, self.plugins, noted, until)
        from lpa_replay.running.deliver_topic import TopicDelivery

        stop = _Stop()
        total = outgoing.count + exhausted.count

        def sent(records: int) -> None:
            folder.note_sent(records)
            progress(records, total)

        spool = f"{outgoing.sha256[:32]}{exhausted.sha256[:32]}"
        destination = Destination.of(self.settings, kafka=True)
        delivery = TopicDelivery(plan, spool, replay_settings(self.settings), destination)
        with closing(delivery), stopped_by_signals(stop):
            if delivery.sent < folder.noted_sent:
                raise ReplayError(
                    f"Kafka no longer knows how far replay {plan.id} is: {folder.noted_sent} records were sent; plan a "
                    "new replay, it leaves out what is stored"
                )
            pace = SendingPace(plan.asked.rate)
            return delivery.deliver(outgoing, manifest.left_out, exhausted, pace, sent, lambda: stop.stopping, until)

    def _record(
        self,
        database: ReplayDatabase,
        plan: Plan,
        manifest: StagedManifest,
        state: RunState,
        canary_check: Mapping[str, Any] | None,
    ) -> None:
        run = run_record(plan, manifest, state.value, _described(plan))
        if canary_check is not None:
            run = attrs.evolve(run, verification=msgspec.json.encode([canary_check]).decode())
        record_run(database, run, self.clock())


@final
class _Stop:
    """Set by a signal."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def stop(self) -> None:
        self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Whether it was asked for within that time."""
        return self._asked.wait(seconds)

    @property
    def stopping(self) -> bool:
        return self._asked.is_set()


def _noted(folder: RunFolder, watch: WatchSource, source: Source) -> StepListener:
    """What ``watch`` makes of the source, which also notes in the folder how far the run is."""
    listener = watch(source)

    def listen(step: Step, range_: Range) -> None:
        listener(step, range_)
        if step is Step.FINISHED:
            folder.note_sent(range_.end)

    return listen


def _require_all_sent(plan: Plan, *, sent: bool) -> None:
    if not sent:
        raise ReplayError(f"replay {plan.id} was stopped; run the same again to go on")


def _require_same_canary(plan: Plan, manifest: StagedManifest, asked: CanaryRequest | None) -> None:
    """Raises ReplayRefused if the run started with another canary, or none: its records are chosen once."""
    if asked is None or (manifest.canary is not None and manifest.canary.share == asked.share):
        return
    begun = "no canary" if manifest.canary is None else f"a canary of {manifest.canary.share:.4%}"
    raise ReplayRefused(f"replay {plan.id} started with {begun}: leave --canary out to go on, or plan again")


def _require_client(plan: Plan) -> None:
    """Kafka's client is an extra. Raises BrokerError if the run needs it and it is not installed."""
    if plan.asked.target == TOPIC and find_spec("confluent_kafka") is None:
        raise BrokerError("Kafka's client is not installed: pip install 'lpa-core[kafka]'")


def _described(plan: Plan) -> str:
    asked = plan.asked
    if asked.source == "archive":
        return f"archive {asked.archive}"
    return f"dlq-topic {asked.topics[0]}" if asked.source == "dlq-topic" else asked.source


def _makes(plan: Plan) -> bool:
    """What comes from elsewhere may be the first that an embedded database is to hold."""
    return plan.asked.source not in ("dlq-table", "quarantine-table")


def _figures(folder: RunFolder, *, already: bool) -> dict[str, Any]:
    manifest = folder.manifest
    figures = {"id": folder.path.name, "already_delivered": already, **(manifest.figures if manifest else {})}
    return figures | ({"canary": folder.passed_canary, "delivered": folder.delivered} if folder.passed_canary else {})
