"""Decides about every record of a run and writes down what is to be sent, before anything is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, final

import msgspec

from lpa_core.jobs.process import trim_memory
from lpa_core.kafka.reject_records import reject_record
from lpa_core.orgs import EventKey, claim_key
from lpa_core.pipeline.traceparent import TRACEPARENT
from lpa_replay.planning.plan import Plan
from lpa_replay.sources.record import Found
from lpa_replay.sources.source import ReplaySource
from lpa_replay.spool.outcomes import (
    ALREADY_EXHAUSTED,
    ALREADY_STORED,
    ERASED,
    REPEATED,
    Decision,
    Outgoing,
    ReplayDecision,
)
from lpa_replay.spool.spool_file import SpoolWriter
from lpa_replay.staging.exhausted_attempts import exhausted_envelope
from lpa_replay.staging.forecast import Forecast
from lpa_replay.staging.marks import lineage, position_text
from lpa_replay.staging.prepare import Preparation, PreparedRecord
from lpa_replay.staging.seen_digests import Seen, digest
from lpa_replay.staging.stored_knowledge import Earlier, Knowledge

_LOOKED_UP_AT_ONCE: Final = 5_000
"""Each time the database goes over the keys of all its events; what is decided together is held in memory."""
_GATHERED_BYTES: Final = 16 << 20
_SAMPLES: Final = 3


@final
class Decider:
    """Goes over a source once, and decides about each record."""

    def __init__(
        self,
        plan: Plan,
        preparation: Preparation,
        knowledge: Knowledge,
        *,
        max_row_bytes: int,
        ttl_ms: int,
        outcomes: SpoolWriter[ReplayDecision],
        outgoing: SpoolWriter[Outgoing] | None,
        exhausted: SpoolWriter[Outgoing] | None,
    ) -> None:
        """Without ``outgoing`` and ``exhausted`` nothing is kept that could be sent: a plan."""
        self._plan, self._preparation, self._knowledge = plan, preparation, knowledge
        self._max_row_bytes = max_row_bytes
        self._outcomes, self._outgoing, self._exhausted = outcomes, outgoing, exhausted
        self._origins, self._keys = Seen(), Seen()
        self.latest: dict[int, int] = {}
        """Of records that were replayed before: the digest of the origin -> the highest generation."""
        self.forecast = Forecast(plan.created_ms, ttl_ms)

    def run(self, source: ReplaySource) -> Forecast:
        """Decide about everything that the plan selects. Raises what reading and looking up raise."""
        for some in self._gathered(source):
            self._decide(some)
            trim_memory()
        return self.forecast

    def _gathered(self, source: ReplaySource) -> Iterator[Sequence[Found]]:
        selection, forecast = self._plan.selection, self.forecast
        limit = self._plan.asked.max_records
        windowed = not selection.window.everything
        some: list[Found] = []
        held = selected = 0
        forecast.missed += source.missed(selection)
        for batch in source.read(selection):
            forecast.read += len(batch)
            for found in batch:
                if windowed and found.time(selection.clock) is None:
                    forecast.untimed += 1
                elif windowed and selection.misses(found):
                    forecast.missed += 1
                elif selection.takes(found):
                    some.append(found)
                    held += len(found.payload or b"")
                    selected += 1
                    if selected == limit:
                        yield some
                        return
                    if len(some) >= _LOOKED_UP_AT_ONCE or held >= _GATHERED_BYTES:
                        yield some
                        some, held = [], 0
        if some:
            yield some

    def _decide(self, some: Sequence[Found]) -> None:
        lineages = [lineage(found) for found in some]
        earlier = self._knowledge.earlier(past.origin for past in lineages)
        nothing = Earlier()
        prepared = self._preparation.prepare(
            [
                (found, past, earlier.get(past.origin, nothing).attempts)
                for found, past in zip(some, lineages, strict=True)
            ]
        )
        erased = self._knowledge.erased(past.origin for past in lineages)
        keys = [each.key for each in prepared]
        keys += [EventKey(each.org, key) for each in prepared for key in earlier.get(each.origin, nothing).keys]
        stored = set[EventKey]() if self._plan.asked.force else self._knowledge.stored(keys)
        decided: list[ReplayDecision] = []
        outgoing: list[Outgoing] = []
        exhausted: list[Outgoing] = []
        for number, each in enumerate(prepared, self.forecast.selected):
            decision, why = (
                (Decision.SKIPPED, ERASED)
                if each.origin in erased
                else self._decision(each, earlier.get(each.origin, nothing), stored)
            )
            decided.append(_outcome(number, each, decision, why))
            if decision is Decision.PUBLISHED:
                self._keep_sample(each)
                outgoing.append(_sent(number, each))
            elif decision is Decision.EXHAUSTED:
                exhausted.append(self._given_up(number, each))
        self.forecast.add(decided)
        self._outcomes.write(decided)
        if self._outgoing is not None and self._exhausted is not None:
            self._outgoing.write(outgoing)
            self._exhausted.write(exhausted)

    def _decision(self, each: PreparedRecord, known: Earlier, stored: set[EventKey]) -> tuple[Decision, str]:
        if each.problem:
            return Decision.UNRECOVERABLE, each.problem
        later = False
        origin = digest(each.origin)
        if not self._origins.add(origin):
            later = each.generation > self.latest.get(origin, 0)
            if not later:
                return Decision.SKIPPED, REPEATED
        if each.generation:
            self.latest[origin] = each.generation
        if each.unfixed:
            return Decision.SKIPPED, each.unfixed
        if each.key in stored or not stored.isdisjoint(EventKey(each.org, key) for key in known.keys):
            return Decision.SKIPPED, ALREADY_STORED
        if each.found.failure_class and each.attempts >= self._plan.asked.max_attempts:
            if known.exhausted:
                return Decision.SKIPPED, ALREADY_EXHAUSTED
            return Decision.EXHAUSTED, f"replayed {each.attempts} times"
        if each.dedup_key and not self._keys.add(digest(claim_key(*each.key))) and not later:
            return Decision.SKIPPED, REPEATED
        return Decision.PUBLISHED, ""

    def _keep_sample(self, each: PreparedRecord) -> None:
        samples = self.forecast.samples
        if each.repaired and len(samples) < _SAMPLES:
            samples.append(((each.found.payload or b"").decode(errors="replace"), (each.value or b"").decode()))

    def _given_up(self, number: int, each: PreparedRecord) -> Outgoing:
        envelope = exhausted_envelope(each, self._plan.id, self._plan.created_ms, self._max_row_bytes)
        record = reject_record(envelope)
        return Outgoing(
            record.value,
            record.key.decode(),
            each.origin,
            each.found.record_ms,
            number,
            quarantined=True,
            headers=[(name, text.decode()) for name, text in record.headers],
            org=each.org,
        )


def _outcome(number: int, each: PreparedRecord, decision: Decision, why: str) -> ReplayDecision:
    found, published = each.found, decision is Decision.PUBLISHED
    return ReplayDecision(
        number,
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
        each.generation,
        each.forecast_details if published else "",
    )


def _sent(number: int, each: PreparedRecord) -> Outgoing:
    key = each.dedup_key or position_text(each.origin)
    traceparent = each.found.traceparent
    headers = [(TRACEPARENT, traceparent)] if traceparent else []
    return Outgoing(each.value or b"", key, each.origin, each.found.record_ms, number, headers=headers, org=each.org)


def superseded(outcome: ReplayDecision, latest: dict[int, int]) -> bool:
    """Whether a later attempt at the same record is in the run as well."""
    if outcome.decision not in (Decision.PUBLISHED, Decision.EXHAUSTED):
        return False
    return outcome.generation < latest.get(digest(outcome.origin), 0)


def skipped(outcome: ReplayDecision, why: str) -> ReplayDecision:
    """The same record, not sent after all."""
    attempt = outcome.attempt - (outcome.decision is Decision.PUBLISHED)
    return msgspec.structs.replace(
        outcome,
        decision=Decision.SKIPPED,
        why=why,
        forecast="",
        forecast_details="",
        typed_rows=0,
        attempt=attempt,
    )
