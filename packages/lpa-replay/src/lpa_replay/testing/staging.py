"""Stand-ins for what a staging asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import final

import attrs

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.orgs import EventKey
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import Position
from lpa_replay.planning.plan import Asked, Plan
from lpa_replay.sources.record import Filters, Found, Selection
from lpa_replay.sources.window import Clock, Window
from lpa_replay.spool.outcomes import Outgoing, ReplayDecision
from lpa_replay.spool.run_folder import RunFolder, StagedManifest
from lpa_replay.staging.destination import ANYWHERE, Destination
from lpa_replay.staging.prepare import Preparation
from lpa_replay.staging.repairs import Repair
from lpa_replay.staging.stager import Stager
from lpa_replay.staging.stored_knowledge import Earlier

NOW = 1_767_900_000_000
PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)


@final
@attrs.frozen
class ListSource:
    """Records from a list, one at a time."""

    some: Sequence[Found]
    name: str = "dlq"
    clock: Clock = Clock.EVENT
    bounds: Mapping[str, str] = attrs.field(factory=dict)

    def missed(self, selection: Selection) -> int:
        return 0

    def read(self, selection: Selection) -> Iterator[Sequence[Found]]:
        for found in self.some:
            yield [found]

    def close(self) -> None:
        pass


@final
@attrs.define
class Known:
    """What the database is said to know."""

    keys: set[EventKey] = attrs.field(factory=set)
    replays: dict[Position, Earlier] = attrs.field(factory=dict)

    gone: set[Position] = attrs.field(factory=set)

    def erased(self, origins: Iterable[Position]) -> set[Position]:
        return self.gone & set(origins)

    def stored(self, keys: Iterable[EventKey]) -> set[EventKey]:
        return self.keys & set(keys)

    def earlier(self, origins: Iterable[Position]) -> Mapping[Position, Earlier]:
        return {origin: self.replays[origin] for origin in origins if origin in self.replays}


def plan(**changes: object) -> Plan:
    """Of everything, unless something else is said of what was asked for."""
    asked = Asked(
        source="dlq-table",
        archive=None,
        sink=None,
        dedup=None,
        target="local",
        topics=(),
        window=(None, None, None, "all"),
        clock=Clock.EVENT,
        filters=Filters(),
        fix=None,
        max_records=None,
        rate=None,
        max_attempts=3,
        force=False,
    )
    window = changes.pop("over", Window())
    return Plan("a-run", NOW, "me@here", attrs.evolve(asked, **changes), window, {}, ())  # type: ignore[arg-type]


def staged(
    folder: Path,
    some: Sequence[Found],
    known: Known | None = None,
    repairs: Sequence[Repair] = (),
    destination: Destination = ANYWHERE,
    **changes: object,
) -> tuple[list[ReplayDecision], list[Outgoing], list[Outgoing], StagedManifest]:
    """What a run decides about these records, and what it would send and give up."""
    decided = plan(**changes)
    preparation = Preparation(
        PIPELINE, repairs, replay_id=decided.id, source="dlq", marked_at=NOW, destination=destination
    )
    stage = Stager(preparation, known or Known(), 1_000_000, 86_400_000, lambda: NOW)
    run = RunFolder(folder, decided.id)
    with run.locked(decided):
        manifest = stage.stage(decided, ListSource(some), run)
        return (
            [line for lines in run.outcomes(manifest).lines() for line in lines],
            [line for lines in run.outgoing(manifest).lines() for line in lines],
            [line for lines in run.exhausted(manifest).lines() for line in lines],
            manifest,
        )
