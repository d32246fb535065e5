"""Carries a plan out: stage, write down, deliver. Each step is finished before the next, and found finished later."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

import attrs

from lpa_core.delivery.consumer_group import BrokerError
from lpa_core.jobs.assembly import build_pipeline
from lpa_core.jobs.file_job import WatchSource
from lpa_core.jobs.process import quiet_collector, stopped_by_signals
from lpa_core.plugins.manager import PluginManager
from lpa_core.release import require_clock
from lpa_core.replays import ReplayError
from lpa_core.settings.settings import Settings
from lpa_core.tables.row_layout import QUARANTINE_TABLE
from lpa_replay.audit import record_outcomes, record_run, run_record
from lpa_replay.database import ReplayDatabase, opened
from lpa_replay.planning.plan import TOPIC, Plan
from lpa_replay.running.deliver_local import begun_locally, deliver_locally
from lpa_replay.running.pace import SendingPace
from lpa_replay.running.quarantine import quarantine_rows
from lpa_replay.running.resume import outcomes_of, without_stored
from lpa_replay.sources.kafka_settings import replay_settings
from lpa_replay.sources.opening import open_source
from lpa_replay.sources.source import ReplaySource
from lpa_replay.spool.run_folder import RunFolder, StagedManifest
from lpa_replay.staging.destination import Destination
from lpa_replay.staging.forecast import Forecast
from lpa_replay.staging.prepare import Preparation
from lpa_replay.staging.repairs import repairs_of
from lpa_replay.staging.stager import Stager
from lpa_replay.staging.stored_knowledge import StoredKnowledge


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

    def run(self, plan: Plan, watch: WatchSource, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Carry the plan out, or what a killed process left of it, and answer its figures.

        Args:
            watch: is shown the spool as a source, where it is delivered locally.
            progress: receives how many records of how many are sent, where they go into a topic.

        Raises ReplayError, ReplayRefused, and what sources, sinks and Kafka raise. Run again it goes on.
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
                    manifest = self._staged(plan, folder, database)
                elif not plan.asked.force:
                    manifest = self._looked_over(plan, folder, manifest, database)
                record_outcomes(database, plan, outcomes_of(manifest, folder), manifest.staged_ms)
                self._record(database, plan, manifest, RunState.STAGED)
            if not self._deliver(plan, folder, manifest, watch, progress):
                raise ReplayError(f"replay {plan.id} was stopped; run the same again to go on")
            with opened(plan.asked.sink, self.settings) as database:
                for columns, token in quarantine_rows(plan, folder.exhausted(manifest)):
                    database.insert(QUARANTINE_TABLE, columns, token)
                self._record(database, plan, manifest, RunState.DELIVERED)
            folder.finish_delivery(self.clock())
            return _figures(folder, already=False)

    def _staged(self, plan: Plan, folder: RunFolder, database: ReplayDatabase) -> StagedManifest:
        with ExitStack() as stack:
            _, source = self._open(plan, stack)
            with quiet_collector():
                manifest = self._stager(plan, source, database).stage(plan, source, folder)
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
    ) -> bool:
        outgoing, exhausted = folder.outgoing(manifest), folder.exhausted(manifest)
        if plan.asked.target != TOPIC:
            return deliver_locally(plan, outgoing, manifest.left_out, self.settings, self.plugins, watch)
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
            return delivery.deliver(outgoing, manifest.left_out, exhausted, pace, sent, lambda: stop.stopping)

    def _record(self, database: ReplayDatabase, plan: Plan, manifest: StagedManifest, state: RunState) -> None:
        record_run(database, run_record(plan, manifest, state.value, _described(plan)), self.clock())


@final
class _Stop:
    """Set by a signal."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def stop(self) -> None:
        self._asked.set()

    @property
    def stopping(self) -> bool:
        return self._asked.is_set()


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
    return {"id": folder.path.name, "already_delivered": already, **(manifest.figures if manifest else {})}
