"""The reject envelope: a record that was turned down, with its failure (docs/spec/events.md section 7).

The same envelope is a dead letter's or a quarantined duplicate's value in its topic and, flattened, its row.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final, final

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from lpa_core.pipeline import reject_values
from lpa_core.records import Oversized, Position
from lpa_core.tables.row_layout import RejectValues
from lpa_core.validation.reasons import Failure

SCHEMA_VERSION: Final = "v1"
_TRUNCATED_BODY_BYTES: Final = 65_536
_MOST_GROWTH: Final = 10
"""A reject's row has no more bytes for one of its record's: body, canonical JSON and dimensions, each as JSON text."""
_ROW_OVERHEAD: Final = 65_536
"""More than its names, numbers and details take."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@final
@attrs.frozen(slots=True, repr=False)
class Rejected:
    """A record that the pipeline or the dedup store turned down.

    ``document`` tells whether the payload was readable as JSON. ``canonical_json`` is given for schema
    failures. ``event_timestamp`` is epoch ms, None if it was unreadable. ``first_failure_ms``, too, where a replay
    knows of an earlier failure.
    """

    position: Position
    failure: Failure
    payload: bytes | None
    document: bool = True
    oversized: Oversized | None = None
    event_id: str | None = None
    event_type: str | None = None
    event_version: str | None = None
    event_timestamp: int | None = None
    orchestrator: str | None = None
    broadcaster: str | None = None
    region: str | None = None
    canonical_json: str | None = None
    dedup_key: str | None = None
    dedup_strategy: str | None = None
    replay: bool = False
    replay_id: str | None = None
    attempt: int = 0
    first_failure_ms: int | None = None

    def __repr__(self) -> str:
        return f"Rejected({self.position}, {self.failure.failure_class}/{self.failure.reason})"


@final
@attrs.frozen(slots=True)
class RejectSource:
    topic: str
    partition: int
    offset: int
    record_timestamp: int


@final
@attrs.frozen(slots=True)
class RejectIdentity:
    event_id: str | None
    event_type: str | None
    event_version: str | None


@final
@attrs.frozen(slots=True)
class Dimensions:
    orchestrator: str | None
    broadcaster: str | None
    region: str | None


@final
@attrs.frozen(slots=True, repr=False)
class Payload:
    """``body`` is the record's text, base64 where it was not JSON, None for a tombstone.

    ``size`` (bytes) and ``sha256`` (lower-case hex) are of the whole record, also where ``body`` is cut short.
    """

    encoding: str
    body: str | None
    canonical_json: str | None
    size: int
    sha256: str
    truncated: bool


@final
@attrs.frozen(slots=True)
class RejectEnvelope:
    """What docs/spec/events.md section 7 lists, and beside it the replay marks and the payload's size and hash.

    ``first_failure_ms`` is for the header of its record alone: neither in its JSON nor in its row.
    ``traceparent`` is the header of the rejected record: empty if it had none, and then not in the JSON.
    """

    schema_version: str
    source: RejectSource
    failure: Failure
    identity: RejectIdentity
    dimensions: Dimensions | None
    payload: Payload
    dedup_key: str | None
    dedup_strategy: str | None
    replay: bool
    replay_id: str | None
    attempt: int
    ingestion_timestamp: int
    event_timestamp: int | None
    first_failure_ms: int | None = None
    traceparent: str = ""


def envelope(rejected: Rejected, record_timestamp: int, ingestion_timestamp: int, max_row_bytes: int) -> RejectEnvelope:
    """The envelope of a rejected record; times are epoch ms. Every column can hold its value.

    Where its row would be longer than ``max_row_bytes`` as JSON text, first the canonical JSON is left out, then
    most of the body, then all that the record says (:func:`reduced`), and the payload marked as truncated.
    """
    position = rejected.position
    dimensions = Dimensions(rejected.orchestrator, rejected.broadcaster, rejected.region)
    whole = RejectEnvelope(
        schema_version=SCHEMA_VERSION,
        source=RejectSource(reject_values.text(position.topic), position.partition, position.offset, record_timestamp),
        failure=attrs.evolve(rejected.failure, details=reject_values.details(rejected.failure.details)),
        identity=RejectIdentity(
            _bounded(rejected.event_id), _bounded(rejected.event_type), _bounded(rejected.event_version)
        ),
        dimensions=dimensions if rejected.document else None,
        payload=_payload(rejected),
        dedup_key=_bounded(rejected.dedup_key),
        dedup_strategy=rejected.dedup_strategy,
        replay=rejected.replay,
        replay_id=_bounded(rejected.replay_id),
        attempt=reject_values.attempt(rejected.attempt),
        ingestion_timestamp=ingestion_timestamp,
        event_timestamp=rejected.event_timestamp,
        first_failure_ms=rejected.first_failure_ms,
    )
    if whole.payload.size * _MOST_GROWTH + _ROW_OVERHEAD < max_row_bytes or _row_bytes(whole) <= max_row_bytes:
        return whole
    without_canonical = attrs.evolve(whole, payload=attrs.evolve(whole.payload, canonical_json=None))
    if not whole.payload.truncated and _row_bytes(without_canonical) <= max_row_bytes:
        return without_canonical
    cut = attrs.evolve(
        without_canonical,
        dimensions=attrs.evolve(dimensions, **{n: _bounded(v) for n, v in attrs.asdict(dimensions).items()})
        if rejected.document
        else None,
        payload=_cut(rejected, without_canonical.payload),
    )
    if _row_bytes(cut) <= max_row_bytes:
        return cut
    return reduced(cut, f"its row is longer than {max_row_bytes} bytes")


def reduced(of: RejectEnvelope, why: str) -> RejectEnvelope:
    """The envelope without anything of the record's own: position, size, hash and what was wrong with it.

    ``why`` no more can be stored, without values of the row.
    """
    details = reject_values.details(f"only position, size and hash are stored: {why}")
    return attrs.evolve(
        of,
        failure=attrs.evolve(of.failure, details=details),
        identity=RejectIdentity(None, None, None),
        dimensions=None,
        payload=Payload("json", None, None, of.payload.size, of.payload.sha256, truncated=True),
        dedup_key=None,
        dedup_strategy=None,
        # A run of `lpa replay` gives plain ids. They are kept: its verification looks for them.
        replay_id=of.replay_id if _PLAIN.fullmatch(of.replay_id or "") else None,
        event_timestamp=None,
    )


def _bounded(text: str | None) -> str | None:
    """An identity that is itself huge must not make the envelope too large to store."""
    return text if text is None or len(text) <= 4096 else text[:4096]


def _payload(rejected: Rejected) -> Payload:
    raw = rejected.payload
    if raw is None:
        return Payload("json", None, None, 0, "", truncated=False)
    known = rejected.oversized
    body = raw.decode() if rejected.document and known is None else base64.b64encode(raw).decode("ascii")
    return Payload(
        encoding="json" if rejected.document and known is None else "base64",
        body=body,
        canonical_json=rejected.canonical_json,
        size=known.size if known else len(raw),
        sha256=known.sha256 if known else hashlib.sha256(raw).hexdigest(),
        truncated=known is not None,
    )


def _cut(rejected: Rejected, payload: Payload) -> Payload:
    raw = (rejected.payload or b"")[:_TRUNCATED_BODY_BYTES]
    # A cut may fall inside a character: what is left of it says nothing.
    body = raw.decode(errors="ignore") if payload.encoding == "json" else base64.b64encode(raw).decode("ascii")
    return attrs.evolve(payload, body=body, truncated=True)


def reject_row(of: RejectEnvelope, org: str = "") -> RejectValues:
    """The envelope flattened, in the order of the reject tables' columns."""
    dimensions = of.dimensions or Dimensions(None, None, None)
    return RejectValues(
        schema_version=of.schema_version,
        source_topic=of.source.topic,
        source_partition=of.source.partition,
        source_offset=of.source.offset,
        source_record_timestamp=of.source.record_timestamp,
        failure_stage=of.failure.stage.value,
        failure_class=of.failure.failure_class.value,
        failure_reason=of.failure.reason.value,
        failure_details=of.failure.details,
        event_id=of.identity.event_id or "",
        event_type=of.identity.event_type or "",
        event_version=of.identity.event_version,
        event_timestamp=of.event_timestamp,
        orchestrator=dimensions.orchestrator,
        broadcaster=dimensions.broadcaster,
        region=dimensions.region,
        payload_encoding=of.payload.encoding,
        payload_body=of.payload.body or "",
        payload_canonical_json=of.payload.canonical_json,
        payload_size=of.payload.size,
        payload_sha256=of.payload.sha256,
        payload_truncated=int(of.payload.truncated),
        dedup_key=of.dedup_key,
        dedup_strategy=of.dedup_strategy,
        replay=int(of.replay),
        replay_id=of.replay_id,
        attempt=of.attempt,
        ingestion_timestamp=of.ingestion_timestamp,
        org=org,
        traceparent=of.traceparent,
    )


def _row_bytes(of: RejectEnvelope) -> int:
    return len(msgspec.json.encode(reject_row(of)._asdict()))


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _envelope_converter() -> cattrs.Converter:
    converter = cattrs.Converter(unstruct_collection_overrides={})
    for model in (RejectSource, Failure, RejectIdentity, Dimensions, Payload, RejectEnvelope):
        names = {
            field.name: override(
                rename=_camel_case(field.name),
                omit=field.name == "first_failure_ms",
                omit_if_default=field.name == "traceparent",
            )
            for field in attrs.fields(model)
        }
        converter.register_unstructure_hook(
            model,
            make_dict_unstructure_fn(model, converter, **names),  # type: ignore[arg-type]  # per-field overrides
        )
        converter.register_structure_hook(
            model,
            make_dict_structure_fn(model, converter, **names),  # type: ignore[arg-type]  # per-field overrides
        )
    return converter


_CONVERTER: Final = _envelope_converter()


def envelope_json(of: RejectEnvelope) -> bytes:
    """The envelope as the topics carry it: JSON with camelCase names."""
    return msgspec.json.encode(_CONVERTER.unstructure(of))


def read_envelope_json(text: bytes) -> RejectEnvelope:
    """The envelope of what :func:`envelope_json` wrote. Raises ValueError for anything else."""
    return _CONVERTER.structure(msgspec.json.decode(text), RejectEnvelope)
