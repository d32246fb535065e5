"""A repair tried on some records: what would be sent, and today's verdict on it. Nothing is written or sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import attrs

from lpa_core.jobs.assembly import build_pipeline
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_replay.fix.changed_paths import ChangedPath, changed_paths
from lpa_replay.fix.file import FixFile
from lpa_replay.sources.record import Found
from lpa_replay.spool.outcomes import PASSES
from lpa_replay.staging.marks import lineage
from lpa_replay.staging.prepare import Preparation, PreparedRecord
from lpa_replay.staging.repairs import loaded_repairs


@final
@attrs.frozen
class TriedRecord:
    """What a repair makes of a record.

    Attributes:
        position: topic/partition/offset.
        verdict: ``passes``, the reason why it would be rejected again, or empty if it cannot be sent.
        details: of that reason, or why it cannot be sent.
        changes: values that the repair changes.
    """

    position: str
    verdict: str
    details: str
    changes: tuple[ChangedPath, ...]

    @property
    def passes(self) -> bool:
        return self.verdict == PASSES

    def as_json(self) -> dict[str, Any]:
        return {**attrs.asdict(self), "passes": self.passes}


@final
class RepairTrial:
    """Judges as a plan does, by the pipeline and the transforms of the plugins that are loaded."""

    def __init__(self, settings: Settings, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._pipeline = build_pipeline(plugins, settings)

    def of(self, some: Sequence[Found], fix: FixFile | None, now: int) -> list[TriedRecord]:
        """In the order given. ``now`` is epoch ms."""
        preparation = Preparation(
            self._pipeline, loaded_repairs(self._plugins, fix), replay_id="trial", source="trial", marked_at=now
        )
        ready = preparation.prepare([(found, lineage(found), 0) for found in some])
        return [_tried(found, each) for found, each in zip(some, ready, strict=True)]


def _tried(found: Found, ready: PreparedRecord) -> TriedRecord:
    place = found.place
    changes: tuple[ChangedPath, ...] = ()
    if ready.repaired and ready.value is not None:
        changes = tuple(changed_paths((found.payload or b"").decode(errors="replace"), ready.value.decode()))
    return TriedRecord(
        f"{place.topic}/{place.partition}/{place.offset}",
        "" if ready.problem or ready.unfixed else ready.forecast,
        ready.problem or ready.unfixed or ready.forecast_details,
        changes,
    )
