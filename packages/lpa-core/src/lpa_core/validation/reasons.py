"""Why a record can be rejected: one closed list (docs/spec/events.md sections 4 and 5)."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeGuard, final

import attrs


class Stage(StrEnum):
    """The step that rejected the record."""

    DESERIALIZATION = "DESERIALIZATION"
    SCHEMA_VALIDATION = "SCHEMA_VALIDATION"
    PARSE = "PARSE"
    DEDUP = "DEDUP"
    SINK_GUARD = "SINK_GUARD"
    CLICKHOUSE_SINK = "CLICKHOUSE_SINK"
    REPLAY = "REPLAY"
    """Not of the reference: a replay that gave a record up."""


class FailureClass(StrEnum):
    DESERIALIZATION_FAILED = "DESERIALIZATION_FAILED"
    SCHEMA_INVALID = "SCHEMA_INVALID"
    UNSUPPORTED_VERSION = "UNSUPPORTED_VERSION"
    PARSING_FAILED = "PARSING_FAILED"
    DUPLICATE = "DUPLICATE"
    """Goes to quarantine, as does REPLAY_EXHAUSTED; all others are dead letters."""
    RECORD_TOO_LARGE = "RECORD_TOO_LARGE"
    DLQ_SINK_WRITE = "DLQ_SINK_WRITE"
    REPLAY_EXHAUSTED = "REPLAY_EXHAUSTED"
    """Replayed as often as allowed, and rejected each time."""


class Reason(StrEnum):
    NULL_PAYLOAD = "null_payload"
    JSON_PARSE_ERROR = "json_parse_error"
    ROOT_NOT_OBJECT = "root_not_object"
    MISSING_TYPE = "missing_type"
    MISSING_TIMESTAMP = "missing_timestamp"
    IMPLAUSIBLE_TIMESTAMP = "implausible_timestamp"
    """Not of the reference: before 2000, or more than 24 hours after the record."""
    MISSING_DATA = "missing_data"
    UNSUPPORTED_EVENT_TYPE = "unsupported_event_type"
    UNSUPPORTED_VERSION = "unsupported_version"
    MISSING_FIELD = "missing_field"
    EMPTY_ARRAY = "empty_array"
    INVALID_DATA_SHAPE = "invalid_data_shape"
    VALUE_MISMATCH = "value_mismatch"
    """Not of the reference: a value does not fit a column that says ``on_mismatch="reject"``."""
    PLUGIN_VALIDATOR = "plugin_validator"
    """A validator that a plugin added turned the event down; the details say which and why."""
    PARSE_EXCEPTION = "parse_exception"
    DUPLICATE_EVENT = "duplicate_event"
    RECORD_TOO_LARGE = "record_too_large"
    SINK_WRITE_FAILED = "sink_write_failed"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"


@final
@attrs.frozen(slots=True)
class Failure:
    """What was wrong with a record, and where in the pipeline that came out."""

    stage: Stage
    failure_class: FailureClass
    reason: Reason
    details: str = ""

    @property
    def quarantined(self) -> bool:
        """Whether the record goes to quarantine rather than to the dead letters."""
        return self.failure_class in (FailureClass.DUPLICATE, FailureClass.REPLAY_EXHAUSTED)


def is_failure(found: object) -> TypeGuard[Failure]:
    """Whether a plugin's answer is a failure of the closed lists."""
    if not isinstance(found, Failure):
        return False
    parts: tuple[object, ...] = (found.stage, found.failure_class, found.reason, found.details)
    return all(isinstance(part, kind) for part, kind in zip(parts, (Stage, FailureClass, Reason, str), strict=True))


def schema_invalid(reason: Reason, details: str) -> Failure:
    return Failure(Stage.SCHEMA_VALIDATION, FailureClass.SCHEMA_INVALID, reason, details)
