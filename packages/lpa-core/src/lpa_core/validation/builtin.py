"""The validators of every event, in the order of docs/spec/events.md section 4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from lpa_core.events.coercion import MAX_EPOCH_MS, MIN_EPOCH_MS
from lpa_core.events.times import EARLIEST_EVENT_MS, MOST_AHEAD_MS
from lpa_core.validation.chain import Validator
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage, schema_invalid

_BASE64_OBJECT: Final = re.compile("eyJ[0-9A-Za-z+/]{20,}")
"""How base64 of a JSON object begins."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def root_is_object(document: Document) -> Failure | None:
    if isinstance(document.root, dict):
        return None
    hint = _root_hint(document.root)
    return schema_invalid(Reason.ROOT_NOT_OBJECT, f"the root is {_json_type(document.root)}, not an object{hint}")


def _root_hint(root: object) -> str:
    if isinstance(root, list) and any(isinstance(each, dict) for each in root):
        return ": it holds several events; send one event a record"
    if isinstance(root, str):
        if not root:
            return ": the record has no text"
        if root.lstrip()[:1] in ("{", "["):
            return ": it holds JSON that was encoded twice; send the object itself"
        if _BASE64_OBJECT.match(root):
            return ": it may hold base64; send the object itself"
    return ""


def type_present(document: Document) -> Failure | None:
    if isinstance(document.value("type"), str):
        return None
    return schema_invalid(Reason.MISSING_TYPE, "type is missing or not a string")


def timestamp_valid(document: Document) -> Failure | None:
    if document.timestamp is not None:
        return None
    if not document.has("timestamp"):
        return schema_invalid(Reason.MISSING_TIMESTAMP, "timestamp is missing")
    sent = document.sent_time
    if sent is None:
        return schema_invalid(Reason.MISSING_TIMESTAMP, "timestamp is not epoch milliseconds, as a number or digits")
    if not MIN_EPOCH_MS <= sent <= MAX_EPOCH_MS:
        why = "is not a time between 1900 and 2299"
    elif sent < EARLIEST_EVENT_MS:
        why = f"{sent} is {_utc(sent)}, before 2000-01-01"
    else:
        why = (
            f"{sent} is {_utc(sent)}, more than 24 hours after its record ({_utc(document.latest_ms - MOST_AHEAD_MS)})"
        )
    return schema_invalid(Reason.IMPLAUSIBLE_TIMESTAMP, f"timestamp {why}: it has to be epoch milliseconds")


def data_present(document: Document) -> Failure | None:
    return None if document.has("data") else schema_invalid(Reason.MISSING_DATA, "data is missing")


def type_supported(document: Document) -> Failure | None:
    if document.event_type is not None:
        return None
    return schema_invalid(
        Reason.UNSUPPORTED_EVENT_TYPE, f"type {_shortened(document.text('type'))} is not one that is collected"
    )


def version_supported(versions: Iterable[str]) -> Validator:
    """A validator that lets only these versions pass; none given lets all pass."""
    allowed = frozenset(versions)

    def version_supported(document: Document) -> Failure | None:
        version = document.version
        if version is None or not allowed or version in allowed:
            return None
        return Failure(
            Stage.SCHEMA_VALIDATION,
            FailureClass.UNSUPPORTED_VERSION,
            Reason.UNSUPPORTED_VERSION,
            f"version {_shortened(version)} is not one of {', '.join(sorted(allowed))}",
        )

    return version_supported


def required_fields(document: Document) -> Failure | None:
    """Each required path is present, not null and not empty text; white space passes."""
    return next(missing_fields(document), None)


def missing_fields(document: Document) -> Iterator[Failure]:
    """A failure for each required path that is not."""
    event_type = document.event_type
    for path in event_type.required if event_type else ():
        if document.value(path) in (None, ""):
            yield schema_invalid(Reason.MISSING_FIELD, path)


def items_present(document: Document) -> Failure | None:
    event_type = document.event_type
    data = document.value("data")
    if event_type is None or not event_type.requires_items or (isinstance(data, list) and data):
        return None
    return schema_invalid(Reason.EMPTY_ARRAY, "data must be an array with at least one item")


def data_shape(document: Document) -> Failure | None:
    event_type = document.event_type
    if event_type is None or not (event_type.requires_container or event_type.requires_object):
        return None
    data = document.value("data")
    if event_type.requires_object and not isinstance(data, dict):
        return schema_invalid(Reason.INVALID_DATA_SHAPE, f"data is {_json_type(data)}, not an object")
    if isinstance(data, dict | list):
        return None
    return schema_invalid(Reason.INVALID_DATA_SHAPE, f"data is {_json_type(data)}, not an object or an array")


def builtin_validators(supported_versions: Iterable[str]) -> tuple[Validator, ...]:
    return (
        root_is_object,
        type_present,
        timestamp_valid,
        data_present,
        type_supported,
        version_supported(supported_versions),
        required_fields,
        items_present,
        data_shape,
    )


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string" if value else "empty"
    return "an array" if isinstance(value, list) else "a number"


def _utc(epoch_ms: int) -> str:
    return f"{_EPOCH + timedelta(milliseconds=epoch_ms):%Y-%m-%d %H:%M:%S} UTC"


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
