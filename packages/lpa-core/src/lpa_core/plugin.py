"""What a plugin uses: the hook marker, event types, the contracts and their suites, and the errors to raise.

Each name is imported from its module when it is first asked for. The suites need pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lpa_core.lazy_imports import finder

if TYPE_CHECKING:
    from lpa_core.dedup.memory import MemoryDedupStore
    from lpa_core.dedup.store import (
        Claimed,
        ClaimStatistics,
        DedupStore,
        DedupStoreError,
        DedupStoreUnavailable,
        LostClaimsError,
        SupportsChangeCount,
        SupportsVouching,
    )
    from lpa_core.doctor.start_check import PlannedStart, StartCheck
    from lpa_core.errors import ConfigurationError, JobFailed, LpaError, Unavailable, UsageError
    from lpa_core.events import model
    from lpa_core.events.envelope import Envelope
    from lpa_core.events.envelope_mapping import EnvelopeMapping, TimeFormat
    from lpa_core.events.event_type import EventType, typed_table
    from lpa_core.events.model import Address, EventData, EventStruct
    from lpa_core.health.check import Figure, Finding, HealthCheck, NotApplicable, Scope
    from lpa_core.lifecycle.attribution import Attribution, AttributionPolicy, NearestSnapshot
    from lpa_core.lifecycle.fold_rules import FoldRules
    from lpa_core.pipeline.pipeline import Pipeline
    from lpa_core.pipeline.reject_envelope import Rejected
    from lpa_core.pipeline.verdicts import Accepted, Ignored, Verdict
    from lpa_core.plugins.context import AppContext
    from lpa_core.plugins.hookspecs import (
        ArchiveFactory,
        DedupStoreFactory,
        Options,
        SinkFactory,
        SourceFactory,
        hookimpl,
    )
    from lpa_core.records import Position, RecordBatch
    from lpa_core.replays import ReplayRecord, ReplayTransform
    from lpa_core.savepoints import Savepoint, SavepointError, SavepointKeeper
    from lpa_core.settings.settings import Settings
    from lpa_core.settings.thresholds import State, Thresholds
    from lpa_core.sinks.archive import Archive, ArchiveError
    from lpa_core.sinks.derived import Derived
    from lpa_core.sinks.sink import (
        RowsOfRange,
        RowsRefused,
        Sink,
        SinkMisconfigured,
        SinkUnavailable,
        StoredKeys,
        StoredOffsets,
        StoredRange,
        SupportsCompletion,
        SupportsDerivation,
        SupportsGathering,
        SupportsInterrupt,
        SupportsInventory,
        SupportsKnownGaps,
        SupportsNewestTime,
        SupportsPreEncode,
        SupportsPresence,
        SupportsRecall,
        SupportsStoredOffsets,
        SupportsStoredRows,
        SupportsWaitReason,
        SupportsWithdrawn,
        require_distinct,
    )
    from lpa_core.sources.files import LineSource
    from lpa_core.sources.source import Source, SourceError
    from lpa_core.tables.known_gaps import OffsetSpan
    from lpa_core.tables.table import Block, Column, Kind, Table
    from lpa_core.testing import (
        archive_suite,
        dedup_suite,
        doubles,
        policy_suite,
        savepoint_suite,
        sink_suite,
        source_suite,
    )
    from lpa_core.testing.event_type_check import check_event_type
    from lpa_core.uris import local_path
    from lpa_core.validation.chain import Validator
    from lpa_core.validation.ignore_rules import IgnoreRule
    from lpa_core.validation.json_document import Document
    from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage, schema_invalid

__all__ = [
    "Accepted",
    "Address",
    "AppContext",
    "Archive",
    "ArchiveError",
    "ArchiveFactory",
    "Attribution",
    "AttributionPolicy",
    "Block",
    "ClaimStatistics",
    "Claimed",
    "Column",
    "ConfigurationError",
    "DedupStore",
    "DedupStoreError",
    "DedupStoreFactory",
    "DedupStoreUnavailable",
    "Derived",
    "Document",
    "Envelope",
    "EnvelopeMapping",
    "EventData",
    "EventStruct",
    "EventType",
    "Failure",
    "FailureClass",
    "Figure",
    "Finding",
    "FoldRules",
    "HealthCheck",
    "IgnoreRule",
    "Ignored",
    "JobFailed",
    "Kind",
    "LineSource",
    "LostClaimsError",
    "LpaError",
    "MemoryDedupStore",
    "NearestSnapshot",
    "NotApplicable",
    "OffsetSpan",
    "Options",
    "Pipeline",
    "PlannedStart",
    "Position",
    "Reason",
    "RecordBatch",
    "Rejected",
    "ReplayRecord",
    "ReplayTransform",
    "RowsOfRange",
    "RowsRefused",
    "Savepoint",
    "SavepointError",
    "SavepointKeeper",
    "Scope",
    "Settings",
    "Sink",
    "SinkFactory",
    "SinkMisconfigured",
    "SinkUnavailable",
    "Source",
    "SourceError",
    "SourceFactory",
    "Stage",
    "StartCheck",
    "State",
    "StoredKeys",
    "StoredOffsets",
    "StoredRange",
    "SupportsChangeCount",
    "SupportsCompletion",
    "SupportsDerivation",
    "SupportsGathering",
    "SupportsInterrupt",
    "SupportsInventory",
    "SupportsKnownGaps",
    "SupportsNewestTime",
    "SupportsPreEncode",
    "SupportsPresence",
    "SupportsRecall",
    "SupportsStoredOffsets",
    "SupportsStoredRows",
    "SupportsVouching",
    "SupportsWaitReason",
    "SupportsWithdrawn",
    "Table",
    "Thresholds",
    "TimeFormat",
    "Unavailable",
    "UsageError",
    "Validator",
    "Verdict",
    "archive_suite",
    "check_event_type",
    "dedup_suite",
    "doubles",
    "hookimpl",
    "local_path",
    "model",
    "policy_suite",
    "require_distinct",
    "savepoint_suite",
    "schema_invalid",
    "sink_suite",
    "source_suite",
    "typed_table",
]

_HOMES = {
    "lpa_core.dedup.memory": "MemoryDedupStore",
    "lpa_core.dedup.store": (
        "Claimed ClaimStatistics DedupStore DedupStoreError DedupStoreUnavailable LostClaimsError SupportsChangeCount "
        "SupportsVouching"
    ),
    "lpa_core.sinks.archive": "Archive ArchiveError",
    "lpa_core.doctor.start_check": "PlannedStart StartCheck",
    "lpa_core.errors": "ConfigurationError JobFailed LpaError Unavailable UsageError",
    "lpa_core.events": "model",
    "lpa_core.events.envelope": "Envelope",
    "lpa_core.events.envelope_mapping": "EnvelopeMapping TimeFormat",
    "lpa_core.events.event_type": "EventType typed_table",
    "lpa_core.events.model": "Address EventData EventStruct",
    "lpa_core.health.check": "Figure Finding HealthCheck NotApplicable Scope",
    "lpa_core.settings.thresholds": "State Thresholds",
    "lpa_core.lifecycle.attribution": "Attribution AttributionPolicy NearestSnapshot",
    "lpa_core.pipeline.pipeline": "Pipeline",
    "lpa_core.plugins.context": "AppContext",
    "lpa_core.plugins.hookspecs": "ArchiveFactory DedupStoreFactory Options SinkFactory SourceFactory hookimpl",
    "lpa_core.records": "Position RecordBatch",
    "lpa_core.pipeline.reject_envelope": "Rejected",
    "lpa_core.replays": "ReplayRecord ReplayTransform",
    "lpa_core.savepoints": "Savepoint SavepointError SavepointKeeper",
    "lpa_core.settings.settings": "Settings",
    "lpa_core.sinks.derived": "Derived",
    "lpa_core.sinks.sink": (
        "RowsOfRange RowsRefused Sink SinkMisconfigured SinkUnavailable StoredKeys StoredOffsets StoredRange "
        "SupportsCompletion SupportsDerivation SupportsGathering SupportsInterrupt SupportsInventory "
        "SupportsKnownGaps SupportsNewestTime SupportsPreEncode SupportsPresence SupportsRecall SupportsStoredOffsets "
        "SupportsStoredRows SupportsWaitReason SupportsWithdrawn require_distinct"
    ),
    "lpa_core.tables.known_gaps": "OffsetSpan",
    "lpa_core.lifecycle.fold_rules": "FoldRules",
    "lpa_core.sources.files": "LineSource",
    "lpa_core.sources.source": "Source SourceError",
    "lpa_core.tables.table": "Block Column Kind Table",
    "lpa_core.testing": "archive_suite dedup_suite doubles policy_suite savepoint_suite sink_suite source_suite",
    "lpa_core.testing.event_type_check": "check_event_type",
    "lpa_core.uris": "local_path",
    "lpa_core.validation.chain": "Validator",
    "lpa_core.validation.ignore_rules": "IgnoreRule",
    "lpa_core.validation.json_document": "Document",
    "lpa_core.validation.reasons": "Failure FailureClass Reason Stage schema_invalid",
    "lpa_core.pipeline.verdicts": "Accepted Ignored Verdict",
}


def __dir__() -> list[str]:
    """The public names, for those who ask what there is."""
    return sorted(__all__)


if not TYPE_CHECKING:  # a type checker is to know these names and no others
    __getattr__ = finder(__name__, _HOMES)
