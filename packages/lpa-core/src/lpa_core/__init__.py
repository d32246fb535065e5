"""What a program uses that has lpa-core installed: event types, the pipeline, dedup stores, folds and errors.

Each name is imported from its module when it is first asked for: importing ``lpa_core`` alone imports nothing more.
A plugin imports from :mod:`lpa_core.plugin`. What neither of the two has may change with any version.
"""

from __future__ import annotations

from lpa_core.lazy_imports import finder

TYPE_CHECKING = False  # not that of typing, whose import takes long

if TYPE_CHECKING:
    from lpa_core.dedup.key import canonical_json, payload_hash
    from lpa_core.dedup.key_claims import KeyClaims
    from lpa_core.dedup.memory import MemoryDedupStore
    from lpa_core.dedup.store import DedupStore
    from lpa_core.errors import ConfigurationError, JobFailed, LpaError, Unavailable, UsageError
    from lpa_core.events.event_type import EventType, typed_table
    from lpa_core.events.registry import BUILTIN_EVENT_TYPES
    from lpa_core.lifecycle.capabilities import Capability, CapabilityIndex
    from lpa_core.lifecycle.facts import Facts
    from lpa_core.lifecycle.fold import fold
    from lpa_core.lifecycle.fold_rules import FoldRules
    from lpa_core.lifecycle.signals import Signal, SignalKind
    from lpa_core.pipeline.pipeline import Pipeline
    from lpa_core.pipeline.reject_envelope import (
        Rejected,
        RejectEnvelope,
        envelope_json,
        read_envelope_json,
        reject_row,
    )
    from lpa_core.pipeline.verdicts import Accepted, Ignored, Verdict
    from lpa_core.records import Oversized, Position, RecordBatch
    from lpa_core.settings.loading import SettingsError
    from lpa_core.settings.settings import Settings
    from lpa_core.tables.table import Column, Kind, Table
    from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

__all__ = [
    "BUILTIN_EVENT_TYPES",
    "Accepted",
    "Capability",
    "CapabilityIndex",
    "Column",
    "ConfigurationError",
    "DedupStore",
    "EventType",
    "Facts",
    "Failure",
    "FailureClass",
    "FoldRules",
    "Ignored",
    "JobFailed",
    "KeyClaims",
    "Kind",
    "LpaError",
    "MemoryDedupStore",
    "Oversized",
    "Pipeline",
    "Position",
    "Reason",
    "RecordBatch",
    "RejectEnvelope",
    "Rejected",
    "Settings",
    "SettingsError",
    "Signal",
    "SignalKind",
    "Stage",
    "Table",
    "Unavailable",
    "UsageError",
    "Verdict",
    "canonical_json",
    "envelope_json",
    "fold",
    "payload_hash",
    "read_envelope_json",
    "reject_row",
    "typed_table",
]

_HOMES = {
    "lpa_core.dedup.key": "canonical_json payload_hash",
    "lpa_core.dedup.key_claims": "KeyClaims",
    "lpa_core.dedup.memory": "MemoryDedupStore",
    "lpa_core.dedup.store": "DedupStore",
    "lpa_core.errors": "ConfigurationError JobFailed LpaError Unavailable UsageError",
    "lpa_core.events.event_type": "EventType typed_table",
    "lpa_core.events.registry": "BUILTIN_EVENT_TYPES",
    "lpa_core.lifecycle.capabilities": "Capability CapabilityIndex",
    "lpa_core.lifecycle.facts": "Facts",
    "lpa_core.lifecycle.fold": "fold",
    "lpa_core.lifecycle.fold_rules": "FoldRules",
    "lpa_core.lifecycle.signals": "Signal SignalKind",
    "lpa_core.pipeline.pipeline": "Pipeline",
    "lpa_core.records": "Oversized Position RecordBatch",
    "lpa_core.pipeline.reject_envelope": "RejectEnvelope Rejected envelope_json read_envelope_json reject_row",
    "lpa_core.settings.loading": "SettingsError",
    "lpa_core.settings.settings": "Settings",
    "lpa_core.tables.table": "Column Kind Table",
    "lpa_core.validation.reasons": "Failure FailureClass Reason Stage",
    "lpa_core.pipeline.verdicts": "Accepted Ignored Verdict",
}


def __dir__() -> list[str]:
    """The public names, for those who ask what there is."""
    return sorted(__all__)


if not TYPE_CHECKING:  # a type checker is to know these names and no others
    __getattr__ = finder(__name__, _HOMES)
