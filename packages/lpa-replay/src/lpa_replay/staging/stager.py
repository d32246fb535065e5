"""Stages a run into a folder: first everything that is selected, then without what later attempts supersede."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import final

import attrs

from lpa_replay.planning.plan import Plan
from lpa_replay.sources.source import ReplaySource
from lpa_replay.spool.outcomes import SUPERSEDED, Outgoing, ReplayDecision
from lpa_replay.spool.run_folder import RunFolder, StagedManifest
from lpa_replay.spool.spool_file import SpoolFile, SpoolReader, SpoolWriter, T
from lpa_replay.staging.canary import sent_first
from lpa_replay.staging.decider import Decider, skipped, superseded
from lpa_replay.staging.forecast import Forecast
from lpa_replay.staging.prepare import Preparation
from lpa_replay.staging.stored_knowledge import Knowledge


@final
@attrs.frozen
class Stager:
    """What staging needs beside the plan. ``ttl_ms`` is that of the dedup store; ``clock`` gives epoch ms."""

    preparation: Preparation
    knowledge: Knowledge
    max_row_bytes: int
    ttl_ms: int
    clock: Callable[[], int]

    def foresee(self, plan: Plan, source: ReplaySource, scratch: Path) -> Forecast:
        """What a run of the plan would do. ``scratch`` is a folder for the while."""
        path = scratch / "outcomes"
        with SpoolWriter[ReplayDecision](path) as outcomes:
            decider = self._decider(plan, outcomes, None, None)
            forecast = decider.run(source)
            described = outcomes.close()
        if decider.latest:
            forecast = forecast.emptied()
            for lines in SpoolReader(path, described, ReplayDecision).lines():
                late = [superseded(each, decider.latest) for each in lines]
                forecast.add(
                    [skipped(each, SUPERSEDED) if gone else each for each, gone in zip(lines, late, strict=True)]
                )
        return forecast

    def stage(
        self, plan: Plan, source: ReplaySource, folder: RunFolder, canary_share: float | None = None
    ) -> StagedManifest:
        """Write down what is to be sent; all of it is durable after return. A canary of that share is sent first."""
        with ExitStack() as stack:
            outcomes, outgoing, exhausted = folder.writers(stack)
            decider = self._decider(plan, outcomes, outgoing, exhausted)
            forecast = decider.run(source)
            files = (outcomes.close(), outgoing.close(), exhausted.close())
        manifest = StagedManifest(self.clock(), *files, figures={}, bounds=dict(source.bounds))
        if decider.latest:
            manifest = _without_superseded(manifest, folder, decider.latest)
            forecast = forecast.emptied()
            for lines in folder.outcomes(manifest).lines():
                forecast.add(lines)
        if canary_share is not None:
            manifest = sent_first(manifest, folder, canary_share)
        manifest = attrs.evolve(manifest, figures=forecast.as_json())
        folder.write_manifest(manifest)
        return manifest

    def _decider(
        self,
        plan: Plan,
        outcomes: SpoolWriter[ReplayDecision],
        outgoing: SpoolWriter[Outgoing] | None,
        exhausted: SpoolWriter[Outgoing] | None,
    ) -> Decider:
        return Decider(
            plan,
            self.preparation,
            self.knowledge,
            max_row_bytes=self.max_row_bytes,
            ttl_ms=self.ttl_ms,
            outcomes=outcomes,
            outgoing=outgoing,
            exhausted=exhausted,
        )


def _without_superseded(manifest: StagedManifest, folder: RunFolder, latest: dict[int, int]) -> StagedManifest:
    """Copy the files beside themselves, then put the copies in their place; the manifest comes after."""
    gone: set[int] = set()

    def outcome(line: ReplayDecision) -> ReplayDecision:
        if not superseded(line, latest):
            return line
        gone.add(line.number)
        return skipped(line, SUPERSEDED)

    def kept(line: Outgoing) -> Outgoing | None:
        return None if line.number in gone else line

    return attrs.evolve(
        manifest,
        outcomes=_rewritten(folder.outcomes(manifest), outcome),
        outgoing=_rewritten(folder.outgoing(manifest), kept),
        exhausted=_rewritten(folder.exhausted(manifest), kept),
    )


def _rewritten(source: SpoolReader[T], change: Callable[[T], T | None]) -> SpoolFile:
    copy = source.path.with_suffix(".copy")
    with SpoolWriter[T](copy) as writer:
        for lines in source.lines():
            writer.write([line for line in map(change, lines) if line is not None])
        described = writer.close()
    copy.replace(source.path)
    return described
