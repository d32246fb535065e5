"""A run that goes on: what others stored since it was staged is left out of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from lpa_core.orgs import EventKey
from lpa_replay.spool.outcomes import ALREADY_STORED, ReplayDecision
from lpa_replay.spool.run_folder import RunFolder, StagedManifest
from lpa_replay.staging.decider import skipped
from lpa_replay.staging.forecast import Forecast
from lpa_replay.staging.stored_knowledge import Knowledge


def without_stored(
    manifest: StagedManifest, folder: RunFolder, knowledge: Knowledge, begun: int, forecast: Forecast, now: int
) -> StagedManifest:
    """The manifest for the rest of the run; durable after return.

    The dedup store may have forgotten by now what it would have reported when the run was staged.

    Args:
        begun: so many of the outgoing records were handed on, or are being written: these stay.
        forecast: an empty one, which is filled again.
        now: epoch ms.

    Raises ReplayError, SinkUnavailable, SinkMisconfigured.
    """
    stored: set[int] = set()
    for lines in folder.outgoing(manifest).lines(begun):
        keys = knowledge.stored(EventKey(line.org, line.key) for line in lines)
        stored.update(line.number for line in lines if EventKey(line.org, line.key) in keys)
    if stored <= manifest.left_out:
        return manifest
    manifest = attrs.evolve(manifest, staged_ms=now, left_out=manifest.left_out | stored)
    forecast.read, forecast.untimed = manifest.figures["read"], manifest.figures["untimed"]
    forecast.missed = manifest.figures.get("missed", 0)  # an older version did not count them
    for outcomes in outcomes_of(manifest, folder):
        forecast.add(outcomes)
    manifest = attrs.evolve(manifest, figures=forecast.as_json())
    folder.write_manifest(manifest)
    return manifest


def outcomes_of(manifest: StagedManifest, folder: RunFolder) -> Iterator[Sequence[ReplayDecision]]:
    """What is decided by now about each record, some at a time. Raises ReplayError if the file is damaged."""
    gone = manifest.left_out
    for lines in folder.outcomes(manifest).lines():
        yield [skipped(line, ALREADY_STORED) if line.number in gone else line for line in lines]
