"""The pure pipeline: bytes and a position in; accepted, rejected or ignored out.

No I/O, no clock, no randomness. Live ingestion, replay, tests and simulation all run this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final, NoReturn, final

import attrs
import msgspec

from lpa_core.dedup.key import canonical_json, payload_hash
from lpa_core.events.coercion import MAX_EPOCH_MS, epoch
from lpa_core.events.envelope import Envelope, WireEnvelope
from lpa_core.events.event_type import EventType
from lpa_core.events.mismatch import MismatchError
from lpa_core.events.registry import registry
from lpa_core.events.times import (
    EARLIEST_EVENT_MS,
    MOST_AHEAD_MS,
    DiscardedTime,
    latest_event_times,
    latest_of_replayed,
)
from lpa_core.orgs import WITHOUT_ORGS, TopicOrgs
from lpa_core.pipeline.all_failures import every_failure, mismatched
from lpa_core.pipeline.bare_documents import BareDocuments
from lpa_core.pipeline.compiled_type import compile_type
from lpa_core.pipeline.description import described_by
from lpa_core.pipeline.masking import NOTHING_MASKED, Masking
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.pipeline.row_guard import RowGuard
from lpa_core.pipeline.unreadable_records import NO_VALUE, not_json, not_parsed
from lpa_core.pipeline.verdicts import Accepted, Ignored, Verdict
from lpa_core.records import Oversized, Position, RecordBatch
from lpa_core.tables.ignored import NOTHING_BUT_COUNTS, KeptOfIgnored
from lpa_core.tables.table import Table
from lpa_core.validation.builtin import builtin_validators
from lpa_core.validation.chain import Validator, first_failure, guarded, of_event_types
from lpa_core.validation.ignore_rules import IgnoreRule, IgnoreRules
from lpa_core.validation.json_document import Document, decoded
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

FailureClassifier = Callable[[Failure, bytes | None], Failure | None]
"""Looks at a failure and the record's bytes; may return a better failure."""

DEFAULT_VERSION = "1"


_ANY_TIME: Final = MAX_EPOCH_MS - MOST_AHEAD_MS
NOWHERE: Final = Position("", 0, 0)
"""Stands for the position of a record that has none."""


class _Unshapely(Exception):
    """The record does not fit its model; it has to be looked at field by field."""


def _unfitting(value: bytes) -> NoReturn:
    raise _Unshapely


def _decoder(envelopes: Iterable[type[WireEnvelope]]) -> Callable[[bytes], Any]:
    """Reads a record as the envelope that its ``type`` tells; raises ValueError or _Unshapely if it fits none."""
    known = tuple(envelopes)
    return msgspec.json.Decoder(reduce(or_, known)).decode if known else _unfitting


@final
class Pipeline:
    """Decodes, validates, coerces and shapes records.

    A record that fits its event type's model and has every required field is proven valid by that alone: this is
    the fast path. Any other goes through the validator chain as a JSON document and is coerced field by field.
    Both give the same verdict for the same bytes. Any thread may use it, also several at the same time.
    """

    def __init__(
        self,
        event_types: Iterable[EventType],
        *,
        supported_versions: Iterable[str] = ("1", "v1"),
        plugin_validators: Sequence[Validator] = (),
        classifiers: Sequence[FailureClassifier] = (),
        ignore_rules: Iterable[IgnoreRule] = (),
        kept_of_ignored: KeptOfIgnored = NOTHING_BUT_COUNTS,
        masking: Masking = NOTHING_MASKED,
        max_row_bytes: int = 1_000_000,
        orgs: TopicOrgs = WITHOUT_ORGS,
        most_ahead_ms: int = MOST_AHEAD_MS,
    ) -> None:
        """
        Args:
            masking: what a worker does to records before it has them judged.
            most_ahead_ms: how long after its record an event may happen.
        """
        self.event_types: Mapping[str, EventType] = registry(event_types)
        self.tables: tuple[Table, ...] = tuple(t for e in self.event_types.values() for t in e.tables)
        self._compiled = {name: compile_type(event_type) for name, event_type in self.event_types.items()}
        self._by_envelope = {compiled.envelope: compiled for compiled in self._compiled.values()}
        # A validator has to be asked about each record, or each of its own type.
        own = {name: guarded(event_type.validators) for name, event_type in self.event_types.items()}
        fast = [compiled.envelope for name, compiled in self._compiled.items() if not own[name]]
        self._decode = _unfitting if plugin_validators else _decoder(fast)
        self._versions = frozenset(supported_versions)
        version = DEFAULT_VERSION if DEFAULT_VERSION in self._versions else min(self._versions, default=DEFAULT_VERSION)
        self._bare = BareDocuments(self.event_types.values(), version)
        self._builtin = builtin_validators(self._versions)
        self._others = (of_event_types(own), *guarded(plugin_validators))
        self._validators = (*self._builtin, *self._others)
        self._classifiers = tuple(classifiers)
        self._ignore = IgnoreRules(ignore_rules)
        self.kept_of_ignored = kept_of_ignored
        self.masking = masking
        self.orgs = orgs
        self._guard = RowGuard(max_row_bytes)
        self.max_row_bytes = max_row_bytes
        self._most_ahead_ms = most_ahead_ms

    def judge(self, batch: RecordBatch, batch_time: int) -> list[Verdict]:
        """The verdict on each record of the batch, in order.

        ``batch_time`` (epoch ms) stands in for the time of a record that has none: the same batch and time give the
        same verdicts.
        """
        fast, thorough, oversized = self._fast, self._thorough, batch.oversized
        ignored, early_types, bare = self._ignored, self._ignore.early_types, bool(self._bare)
        latest = latest_event_times(batch.timestamps, batch_time, len(batch), self._most_ahead_ms)
        verdicts: list[Verdict] = []
        append = verdicts.append
        for index, value in enumerate(batch.values):
            if value is not None and index not in oversized:
                found: Verdict | None = None
                try:
                    found = fast(value, latest[index])
                    passed_over = ignored(value, value) if found.envelope.type in early_types else None
                except (_Unshapely, ValueError, AttributeError, RecursionError):
                    passed_over = ignored(value, value)
                found = passed_over or found
                if found is None and bare:
                    found = self._of_bare(value, latest[index])
                if found is not None:
                    append(found)
                    continue
            append(thorough(value, batch.position(index), latest[index], oversized.get(index)))
        return verdicts

    def process(self, value: bytes | None, position: Position, record_time: int = _ANY_TIME) -> Verdict:
        """The verdict on one record; without ``record_time`` (epoch ms) no event is too late for it."""
        batch = RecordBatch(position.topic, position.partition, (position.offset,), (value,))
        return self.judge(batch, record_time)[0]

    def validate(self, value: bytes | None, record_time: int = _ANY_TIME) -> Verdict:
        """The verdict on a record that has no position, such as the body of a request."""
        return self.process(value, NOWHERE, record_time)

    def failures(self, value: bytes | None, record_time: int = _ANY_TIME) -> tuple[Failure, ...]:
        """All that is wrong with a record, the failure of its verdict first; nothing if it is accepted or ignored.

        What plugins judge is among them if the built-in validators find nothing, as they may rely on these.
        """
        verdict = self.validate(value, record_time)
        if not isinstance(verdict, Rejected):
            return ()
        if value is None or not verdict.document:
            return (verdict.failure,)
        root = decoded(value) if value.strip() else ""
        document = self._document(root, record_time + self._most_ahead_ms)
        compiled = self._compiled.get(verdict.event_type or "")
        every = every_failure(document, self._builtin, self._others, compiled)
        told = (self._bare.told(failure, root) for failure in every)
        found = [self._rejected(attrs.evolve(verdict, failure=failure)).failure for failure in told]
        return tuple(dict.fromkeys([verdict.failure, *found]))

    def data_of(self, root: Any) -> Any:
        """The ``data`` of a decoded record, which may be a document without an envelope."""
        return self._document(root, MAX_EPOCH_MS).value("data")

    def _of_bare(self, value: bytes, latest: int) -> Verdict | None:
        """The verdict on a document without an envelope, if that needs no closer look."""
        try:
            spliced = self._bare.spliced(value)
        except (ValueError, RecursionError):
            return None
        if spliced is None:
            return None
        found: Verdict | None = None
        try:
            found = self._fast(spliced, latest, value)
            passed_over = self._ignored(spliced, value) if found.envelope.type in self._ignore.early_types else None
        except (_Unshapely, ValueError, AttributeError, RecursionError):
            passed_over = self._ignored(spliced, value)
        return passed_over or found

    def _ignored(self, value: bytes, raw: bytes) -> Ignored | None:
        rule = self._ignore.early(value)
        return None if rule is None else Ignored(*rule, raw)

    def _fast(self, value: bytes, latest: int, received: bytes | None = None) -> Accepted:
        """Accept a well-formed record; raise _Unshapely or ValueError (of which msgspec's errors are) for any other.

        ``received`` is the record, if ``value`` is what it holds in an envelope.
        """
        if not value.isascii():
            value.decode()  # msgspec does not look into strings that it skips
        wire = self._decode(value)
        compiled = self._by_envelope[type(wire)]
        moment = wire.timestamp
        if type(moment) is str:
            if not (moment.isascii() and moment.isdigit()) or len(moment) > 18:
                raise _Unshapely
            moment = int(moment)
        if wire.replay_record_ms is not None:
            latest = latest_of_replayed(latest, wire.replay_record_ms)
        if not EARLIEST_EVENT_MS <= moment <= latest:
            raise _Unshapely
        data = wire.data
        version = wire.version
        if version is None:
            if compiled.has_version(data):
                raise _Unshapely
            version = DEFAULT_VERSION
        elif type(version) is int or version not in self._versions:
            raise _Unshapely
        identity = wire.id
        if not identity or (compiled.filled is not None and not all(compiled.filled(data))):
            raise _Unshapely
        if compiled.needs_items and not data:
            raise _Unshapely
        envelope = Envelope(
            compiled.name,
            identity,
            moment,
            wire.gateway,
            version,
            wire.replay,
            wire.replay_id,
            wire.replay_attempt,
        )
        raw = value if received is None else received
        discarded: list[DiscardedTime] = []
        try:
            rows = compiled.make_rows(envelope, data, discarded)
        except Exception as error:
            raise _Unshapely from error
        if not self._guard.surely_fits(value, rows):
            raise _Unshapely
        if compiled.own_key is None:
            return Accepted(envelope, raw, identity, "event_id", rows, 0, tuple(discarded), data)
        dedup_key, strategy = compiled.claimed(data, identity, "event_id")
        return Accepted(envelope, raw, dedup_key, strategy, rows, 0, tuple(discarded), data)

    def _thorough(self, value: bytes | None, position: Position, latest: int, oversized: Oversized | None) -> Verdict:
        if value is None:
            return self._rejected(Rejected(position, NO_VALUE, None, document=False))
        if oversized is not None:
            failure = self._guard.failure(f"the record has {oversized.size} bytes")
            return self._rejected(Rejected(position, failure, value, document=False, oversized=oversized))
        try:
            root = decoded(value) if value.strip() else ""
        except (ValueError, RecursionError) as error:
            return self._rejected(Rejected(position, not_json(value, error), value, document=False))
        document = self._document(root, latest)
        invalid = first_failure(self._validators, document)
        if invalid is not None:
            if invalid.reason is Reason.MISSING_FIELD:
                rule = self._ignore.late(document.text("type"), document.value("data"))
                if rule is not None:
                    return Ignored(*rule, value)
            failure = self._bare.told(invalid, root)
            rejected = described_by(document, value, position, failure=failure, canonical_json=canonical_json(root))
            return self._rejected(rejected)
        return self._shape(document, value, described_by(document, value, position, failure=_UNDECIDED))

    def _document(self, root: Any, latest: int) -> Document:
        root = self._bare.enveloped(root)
        replayed = Document(root, self.event_types).value("__replay_record_ms")
        return Document(root, self.event_types, latest_of_replayed(latest, epoch(replayed)))

    def _shape(self, document: Document, value: bytes, described: Rejected) -> Verdict:
        compiled = self._compiled[described.event_type or ""]
        if described.event_id:
            dedup_key, dedup_strategy = described.event_id, "event_id"
        else:
            dedup_key, dedup_strategy = (
                payload_hash(
                    described.event_type or "",
                    described.orchestrator,
                    described.broadcaster,
                    described.region,
                    document.root,
                ),
                "payload_hash",
            )
        version = described.event_version or DEFAULT_VERSION

        def rejected(failure: Failure) -> Rejected:
            return self._rejected(
                attrs.evolve(
                    described,
                    failure=failure,
                    event_version=version,
                    dedup_key=dedup_key,
                    dedup_strategy=dedup_strategy,
                )
            )

        envelope = Envelope(
            described.event_type or "",
            described.event_id or "",
            described.event_timestamp or 0,
            document.text("gateway"),
            version,
            described.replay,
            described.replay_id or "",
            described.attempt,
        )
        unfit = [0]
        discarded: list[DiscardedTime] = []
        try:
            data = compiled.coerce(document.value("data"), unfit)
            rows = compiled.make_rows(envelope, data, discarded)
        except MismatchError as error:
            return rejected(mismatched(error, items=compiled.needs_items))
        except Exception as error:
            return rejected(not_parsed(error))
        dedup_key, dedup_strategy = compiled.claimed(data, dedup_key, dedup_strategy)
        accepted = Accepted(envelope, value, dedup_key, dedup_strategy, rows, unfit[0], tuple(discarded), data)
        too_large = self._guard.check(accepted, described.position)
        if too_large is not None:
            return rejected(too_large)
        return accepted

    def _rejected(self, rejected: Rejected) -> Rejected:
        for classify in self._classifiers:
            better = classify(rejected.failure, rejected.payload)
            if better is not None:
                return attrs.evolve(rejected, failure=better)
        return rejected

    def describe(self, accepted: Accepted, position: Position, failure: Failure) -> Rejected:
        """An accepted event as a rejection: a duplicate, or one that a sink refused."""
        envelope = accepted.envelope
        try:
            root = decoded(accepted.raw)
        except (ValueError, RecursionError):
            root = {}  # what only the thorough path would have found: the event itself is well known
        return self._rejected(
            described_by(
                self._document(root, MAX_EPOCH_MS),
                accepted.raw,
                position,
                failure=failure,
                event_id=envelope.id,
                event_type=envelope.type,
                event_version=envelope.version,
                event_timestamp=envelope.timestamp,
                dedup_key=accepted.dedup_key,
                dedup_strategy=accepted.dedup_strategy,
                replay=envelope.replay,
                replay_id=envelope.replay_id or None,
                attempt=envelope.replay_attempt,
            )
        )


_UNDECIDED = Failure(Stage.SCHEMA_VALIDATION, FailureClass.SCHEMA_INVALID, Reason.ROOT_NOT_OBJECT)
