"""A canary: a share of a run's records, which is sent first. The same records whenever they are chosen again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, final

import attrs

from lpa_core.records import Position
from lpa_core.replays import ReplayRefused
from lpa_replay.spool.outcomes import Outgoing
from lpa_replay.spool.run_folder import Canary, RunFolder, StagedManifest
from lpa_replay.spool.spool_file import SpoolReader, SpoolWriter
from lpa_replay.staging.marks import position_text

_HIGHEST: Final = 2**64 - 1
_LINES_A_FRAME: Final = 5_000
_BYTES_A_FRAME: Final = 16 << 20


@final
@attrs.frozen
class CanaryRequest:
    """What somebody asks for: the share of the records, above 0 and at most 1; and whether the rest stays."""

    share: float
    only: bool = False

    @classmethod
    def of(cls, share: str | None, *, only: bool) -> CanaryRequest | None:
        """Reads ``1%`` and ``0.01`` alike; None if nobody asks for a canary. Raises ReplayRefused."""
        if share is None:
            if only:
                raise ReplayRefused("--canary-only: give the share of the canary as well, such as --canary 1%")
            return None
        text = share.strip()
        try:
            found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            found = math.nan
        if not 0 < found <= 1:
            raise ReplayRefused(f"--canary {share}: give a share of the records, such as 1% or 0.01")
        return cls(found, only)


def digest_of(position: Position) -> int:
    """64 bits that decide whether a record is of the canary; ``canary_results.sql`` computes the same."""
    text = position_text(position).encode(errors="replace")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "little")


def sent_first(manifest: StagedManifest, folder: RunFolder, share: float) -> StagedManifest:
    """The manifest with the canary's records at the beginning of what is sent; durable only with the manifest.

    If the share comes to no record, the canary is the one record with the lowest digest.
    """
    outgoing = folder.outgoing(manifest)
    lowest = min((digest_of(each.origin) for each in chain.from_iterable(outgoing.lines())), default=_HIGHEST)
    last = max(lowest, min(_HIGHEST, int(share * 2**64)))
    copy = outgoing.path.with_suffix(".copy")
    with SpoolWriter[Outgoing](copy) as writer:
        records = 0
        for lines in _frames(_those(outgoing, last, of_canary=True)):
            writer.write(lines)
            records += len(lines)
        for lines in _frames(_those(outgoing, last, of_canary=False)):
            writer.write(lines)
        described = writer.close()
    copy.replace(outgoing.path)
    return attrs.evolve(manifest, outgoing=described, canary=Canary(share, last, records))


def _those(outgoing: SpoolReader[Outgoing], last: int, *, of_canary: bool) -> Iterator[Outgoing]:
    lines = chain.from_iterable(outgoing.lines())
    return (each for each in lines if (digest_of(each.origin) <= last) is of_canary)


def _frames(lines: Iterator[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    some: list[Outgoing] = []
    size = 0
    for each in lines:
        some.append(each)
        size += len(each.value)
        if len(some) >= _LINES_A_FRAME or size >= _BYTES_A_FRAME:
            yield some
            some, size = [], 0
    if some:
        yield some
