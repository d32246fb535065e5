"""Decides about every record of a run and writes down what is to be sent, before anything is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, final

import attrs
import msgspec

from lpa_core.kafka.rejects import reject_record
from lpa_core.process import trim_memory
from lpa_replay.exhausted import exhausted_envelope
from lpa_replay.found import Found
from lpa_replay.marks import lineage, position_text
from lpa_replay.outcomes import (
    ALREADY_EXHAUSTED,
    ALREADY_STORED,
    REPEATED,
    Decision,
    Outcome,
    Outgoing,
)
from lpa_replay.plan import Plan
from lpa_replay.prepare import Preparation, Prepared
from lpa_replay.seen import Seen, digest
from lpa_replay.sources.source import ReplaySource
from lpa_replay.spool import SpoolWriter
from lpa_replay.stored import Earlier, Knowledge

_LOOKED_UP_AT_ONCE: Final = 5_000
"""Each time the database goes over the keys of all its events; what is decided together is held in memory."""
_GATHERED_BYTES: Final = 16 << 20
_SAMPLES: Final = 3


@final
@attrs.define
class Reading:
    """What was read: all of it, and what was selected. ``untimed`` have no time that a window could be about."""

    read: int = 0
    selected: int = 0
    untimed: int = 0
    samples: list[tuple[str, str]] = attrs.field(factory=list)
    """Some records before and after, of those that would pass."""


@final
class Staging:
    """One going over of a source."""

    def __init__(
        self,
        plan: Plan,
        preparation: Preparation,
        knowledge: Knowledge,
        *,
        max_row_bytes: int,
        outcomes: SpoolWriter[Outcome],
        outgoing: SpoolWriter[Outgoing] | None,
        exhausted: SpoolWriter[Outgoing] | None,
    ) -> None:
        """Without ``outgoing`` and ``exhausted`` nothing is kept that could be sent: a plan."""
        self._plan, self._preparation, self._knowledge = plan, preparation, knowledge
        self._max_row_bytes = max_row_bytes
        self._outcomes, self._outgoing, self._exhausted = outcomes, outgoing, exhausted
        self._origins, self._keys = Seen(), Seen()
        self._number = 0
        self.latest: dict[int, int] = {}
        """Of records that are there more than once, as later attempts: the digest of the origin -> latest attempt."""
        self.reading = Reading()

    def run(self, source: ReplaySource) -> Reading:
        """Decide about everything that the plan selects. Raises what reading and looking up raise."""
        for some in self._gathered(source):
            self._decide(some)
            trim_memory()
        return self.reading

    def _gathered(self, source: ReplaySource) -> Iterator[Sequence[Found]]:
        selection, reading = self._plan.selection, self.reading
        limit = self._plan.asked.max_records
        windowed = not selection.window.everything
        some: list[Found] = []
        held = 0
        for batch in source.read(selection):
            reading.read += len(batch)
            for found in batch:
                if windowed and found.time(selection.clock) is None:
                    reading.untimed += 1
                elif selection.takes(found):
                    some.append(found)
                    held += len(found.payload or b"")
                    reading.selected += 1
                    if reading.selected == limit:
                        yield some
                        return
                    if len(some) >= _LOOKED_UP_AT_ONCE or held >= _GATHERED_BYTES:
                        yield some
                        some, held = [], 0
        if some:
            yield some

    def _decide(self, some: Sequence[Found]) -> None:
        lineages = [lineage(found) for found in some]
        earlier = self._knowledge.earlier(origin for origin, _ in lineages)
        nothing = Earlier()
        prepared = self._preparation.prepare(
            [
                (found, origin, max(attempts, earlier.get(origin, nothing).attempts))
                for found, (origin, attempts) in zip(some, lineages, strict=True)
            ]
        )
        keys = [each.dedup_key for each in prepared]
        keys += [key for known in earlier.values() for key in known.keys]
        stored = set() if self._plan.asked.force else self._knowledge.stored(keys)
        for each in prepared:
            decision, why = self._decision(each, earlier.get(each.origin, nothing), stored)
            self._keep(each, decision, why)

    def _decision(self, each: Prepared, known: Earlier, stored: set[str]) -> tuple[Decision, str]:
        if each.problem:
            return Decision.UNRECOVERABLE, each.problem
        later = False
        origin = digest(position_text(each.origin))
        if not self._origins.add(origin):
            later = each.attempts > self.latest.get(origin, 0)
            if not later:
                return Decision.SKIPPED, REPEATED
        if each.attempts:
            self.latest[origin] = each.attempts
        if each.unfixed:
            return Decision.SKIPPED, each.unfixed
        if each.dedup_key in stored or not stored.isdisjoint(known.keys):
            return Decision.SKIPPED, ALREADY_STORED
        if each.found.failure_class and each.attempts >= self._plan.asked.max_attempts:
            if known.exhausted:
                return Decision.SKIPPED, ALREADY_EXHAUSTED
            return Decision.EXHAUSTED, f"replayed {each.attempts} times"
        if each.dedup_key and not self._keys.add(digest(each.dedup_key)) and not later:
            return Decision.SKIPPED, REPEATED
        return Decision.PUBLISHED, ""

    def _keep(self, each: Prepared, decision: Decision, why: str) -> None:
        found, published = each.found, decision is Decision.PUBLISHED
        self._outcomes.write(
            Outcome(
                self._number,
                each.origin,
                found.record_ms,
                each.event_ms,
                each.event_type,
                found.failure_class,
                found.failure_reason,
                decision,
                why,
                each.forecast if published else "",
                each.dedup_key,
                min(each.attempts + published, 2**16 - 1),
                each.typed_rows if published else 0,
            )
        )
        if published and each.repaired and len(self.reading.samples) < _SAMPLES:
            before, after = (found.payload or b"").decode(errors="replace"), (each.value or b"").decode()
            self.reading.samples.append((before, after))
        if published and self._outgoing is not None:
            key = each.dedup_key or position_text(each.origin)
            value = (each.value or b"").decode()
            self._outgoing.write(Outgoing(value, key, each.origin, found.record_ms, self._number))
        if decision is Decision.EXHAUSTED and self._exhausted is not None:
            self._exhausted.write(self._given_up(each))
        self._number += 1

    def _given_up(self, each: Prepared) -> Outgoing:
        envelope = exhausted_envelope(each, self._plan.id, self._plan.created_ms, self._max_row_bytes)
        record = reject_record(envelope, None)
        return Outgoing(
            record.value.decode(),
            record.key.decode(),
            each.origin,
            each.found.record_ms,
            self._number,
            quarantined=True,
            headers=[(name, text.decode()) for name, text in record.headers],
        )


def superseded(outcome: Outcome, latest: dict[int, int]) -> bool:
    """Whether a later attempt at the same record is in the run as well."""
    if outcome.decision not in (Decision.PUBLISHED, Decision.EXHAUSTED):
        return False
    attempts = outcome.attempt - (outcome.decision is Decision.PUBLISHED)
    return attempts < latest.get(digest(position_text(outcome.origin)), 0)


def skipped(outcome: Outcome, why: str) -> Outcome:
    return msgspec.structs.replace(outcome, decision=Decision.SKIPPED, why=why, forecast="", typed_rows=0)
