"""Every error code of Kafka's brokers and of its client, and what it means for lpa. The one table of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, final

import attrs

from lpa_core.delivery.consumer_group import (
    BrokerError,
    BrokerUnavailable,
    CommitUncertainError,
    FencedError,
    ForbiddenError,
    TakenOverError,
)

if TYPE_CHECKING:
    from confluent_kafka import KafkaError


class KafkaErrorKind(Enum):
    """What has to happen before the same can succeed."""

    ANSWER = auto()
    """Nothing: it is not a fault, but the answer to a question."""
    PASSES = auto()
    """Waiting: it passes by itself."""
    UNREACHABLE = auto()
    """A connection to a broker. Why there is none, the code does not tell: lpa_core.kafka.diagnosis does."""
    SESSION = auto()
    """A new session of the client, if the error is a fatal one; else it passes by itself."""
    MEMBERSHIP = auto()
    """The group shares its partitions out; it passes by itself."""
    TAKEN_OVER = auto()
    """A new session: another one has started under the same transactional id."""
    OFFSETS_GONE = auto()
    """The gap policy decides where to read on."""
    FORBIDDEN = auto()
    """A permission or a login. Both are changed while workers run, so it is waited for, for a while."""
    SETTING = auto()
    """The setting that the words name."""
    FINAL = auto()
    """Another version of the brokers or of lpa; or the words say what."""


@final
@attrs.frozen(slots=True)
class Meaning:
    """``words``: what the error is about and what to do, to stand behind a colon; empty if the client's say it."""

    kind: KafkaErrorKind
    words: str = ""


_TOPIC_ACL: Final = "this login lacks an ACL on the topic (docs/operations/permissions.md lists them)"
_TABLE: Final[tuple[tuple[KafkaErrorKind, str, str], ...]] = (
    (
        KafkaErrorKind.ANSWER,
        "",
        "NO_ERROR _PARTITION_EOF _NO_OFFSET _NOENT _NOOP _ASSIGN_PARTITIONS _REVOKE_PARTITIONS",
    ),
    (KafkaErrorKind.ANSWER, "", "TOPIC_ALREADY_EXISTS GROUP_ID_NOT_FOUND"),
    (
        KafkaErrorKind.UNREACHABLE,
        "check QUALITY_KAFKA_BOOTSTRAP and that the brokers run",
        "_TRANSPORT _ALL_BROKERS_DOWN _TIMED_OUT _TIMED_OUT_QUEUE _RESOLVE _SSL _UNKNOWN_BROKER NETWORK_EXCEPTION "
        "BROKER_NOT_AVAILABLE REBOOTSTRAP_REQUIRED",
    ),
    (
        KafkaErrorKind.PASSES,
        "a broker is starting, or a partition moves to another one",
        "LEADER_NOT_AVAILABLE NOT_LEADER_FOR_PARTITION REPLICA_NOT_AVAILABLE FENCED_LEADER_EPOCH UNKNOWN_LEADER_EPOCH "
        "PREFERRED_LEADER_NOT_AVAILABLE ELIGIBLE_LEADERS_NOT_AVAILABLE REASSIGNMENT_IN_PROGRESS OFFSET_NOT_AVAILABLE "
        "STALE_BROKER_EPOCH STALE_CTRL_EPOCH NOT_CONTROLLER UNKNOWN_CONTROLLER_ID REQUEST_TIMED_OUT _MSG_TIMED_OUT "
        "_NODE_UPDATE _DESTROY_BROKER FETCH_SESSION_ID_NOT_FOUND INVALID_FETCH_SESSION_EPOCH",
    ),
    (
        KafkaErrorKind.PASSES,
        "the coordinator of the group or of transactions is starting, or moves to another broker",
        "COORDINATOR_LOAD_IN_PROGRESS COORDINATOR_NOT_AVAILABLE NOT_COORDINATOR TRANSACTION_COORDINATOR_FENCED "
        "_WAIT_COORD",
    ),
    (
        KafkaErrorKind.PASSES,
        "fewer brokers run than min.insync.replicas of the topic asks for: start them",
        "NOT_ENOUGH_REPLICAS NOT_ENOUGH_REPLICAS_AFTER_APPEND _ISR_INSUFF",
    ),
    (
        KafkaErrorKind.PASSES,
        "a transaction is not decided yet",
        "CONCURRENT_TRANSACTIONS UNSTABLE_OFFSET_COMMIT TRANSACTION_ABORTABLE _PURGE_QUEUE _PURGE_INFLIGHT",
    ),
    (
        KafkaErrorKind.PASSES,
        "there is no such topic or partition: `lpa topics apply` makes what is missing",
        "UNKNOWN_TOPIC_OR_PART _UNKNOWN_TOPIC _UNKNOWN_PARTITION UNKNOWN_TOPIC_ID INCONSISTENT_TOPIC_ID",
    ),
    (KafkaErrorKind.PASSES, "the brokers slow this client down, by a quota of theirs", "THROTTLING_QUOTA_EXCEEDED"),
    (
        KafkaErrorKind.PASSES,
        "the group has as many members as group.max.size of the brokers allows",
        "GROUP_MAX_SIZE_REACHED",
    ),
    (KafkaErrorKind.PASSES, "a broker's disk fails: see its log", "KAFKA_STORAGE_ERROR LOG_DIR_NOT_FOUND"),
    (KafkaErrorKind.PASSES, "a broker has a fault of its own: see its log", "UNKNOWN"),
    (
        KafkaErrorKind.PASSES,
        "",
        "_QUEUE_FULL _IN_PROGRESS _PREV_IN_PROGRESS _RETRY _INTR _OUTDATED _PARTIAL _UNDERFLOW _WAIT_CACHE _FAIL "
        "_STATE _CONFLICT UNKNOWN_SUBSCRIPTION_ID TELEMETRY_TOO_LARGE OPERATION_NOT_ATTEMPTED",
    ),
    (
        KafkaErrorKind.SESSION,
        "the producer's session is out of step with the brokers",
        "UNKNOWN_PRODUCER_ID INVALID_PRODUCER_ID_MAPPING OUT_OF_ORDER_SEQUENCE_NUMBER DUPLICATE_SEQUENCE_NUMBER "
        "INVALID_TXN_STATE _GAPLESS_GUARANTEE _INCONSISTENT _FATAL _DESTROY _INVALID_DIFFERENT_RECORD _APPLICATION",
    ),
    (
        KafkaErrorKind.MEMBERSHIP,
        "the consumer group is sharing out its partitions",
        "ILLEGAL_GENERATION UNKNOWN_MEMBER_ID REBALANCE_IN_PROGRESS MEMBER_ID_REQUIRED FENCED_MEMBER_EPOCH "
        "STALE_MEMBER_EPOCH _ASSIGNMENT_LOST _MAX_POLL_EXCEEDED",
    ),
    (
        KafkaErrorKind.TAKEN_OVER,
        "another session has the same transactional id",
        "_FENCED PRODUCER_FENCED INVALID_PRODUCER_EPOCH",
    ),
    (KafkaErrorKind.OFFSETS_GONE, "", "OFFSET_OUT_OF_RANGE _AUTO_OFFSET_RESET _LOG_TRUNCATION"),
    (KafkaErrorKind.FORBIDDEN, _TOPIC_ACL, "TOPIC_AUTHORIZATION_FAILED"),
    (
        KafkaErrorKind.FORBIDDEN,
        "this login lacks the ACL READ on the group (docs/operations/permissions.md lists all)",
        "GROUP_AUTHORIZATION_FAILED",
    ),
    (
        KafkaErrorKind.FORBIDDEN,
        "this login lacks the ACL WRITE on the transactional id, which begins with the group's name "
        "(docs/operations/permissions.md lists all)",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    ),
    (
        KafkaErrorKind.FORBIDDEN,
        "let somebody who may do it, or give this login the ACL on the cluster (docs/operations/permissions.md)",
        "CLUSTER_AUTHORIZATION_FAILED",
    ),
    (
        KafkaErrorKind.FORBIDDEN,
        "the login was refused: check sasl.username and sasl.password (LPA_KAFKA_SASL_USERNAME, "
        "LPA_KAFKA_SASL_PASSWORD)",
        "_AUTHENTICATION SASL_AUTHENTICATION_FAILED UNACCEPTABLE_CREDENTIAL PRINCIPAL_DESERIALIZATION_FAILURE",
    ),
    (
        KafkaErrorKind.FORBIDDEN,
        "the delegation token is not taken: make another one, and set sasl.username and sasl.password to it",
        "DELEGATION_TOKEN_AUTH_DISABLED DELEGATION_TOKEN_NOT_FOUND DELEGATION_TOKEN_OWNER_MISMATCH "
        "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED DELEGATION_TOKEN_AUTHORIZATION_FAILED DELEGATION_TOKEN_EXPIRED "
        "INVALID_PRINCIPAL_TYPE",
    ),
    (
        KafkaErrorKind.SETTING,
        "offset.metadata.max.bytes of the brokers is too small for ranges of this size: set it to 4096 on the "
        "brokers, or lower CLICKHOUSE_SINK_MAX_BATCH_SIZE",
        "OFFSET_METADATA_TOO_LARGE INVALID_COMMIT_OFFSET_SIZE",
    ),
    (
        KafkaErrorKind.SETTING,
        "max.message.bytes of the topic is too small for the largest record: `lpa topics show` says what it should be",
        "MSG_SIZE_TOO_LARGE RECORD_LIST_TOO_LARGE INVALID_MSG_SIZE",
    ),
    (
        KafkaErrorKind.SETTING,
        "the topic refuses records as lpa writes them: compare its settings with `lpa topics show`",
        "INVALID_MSG INVALID_TIMESTAMP INVALID_RECORD",
    ),
    (
        KafkaErrorKind.SETTING,
        "another process runs under the same QUALITY_GROUP_INSTANCE_ID: give each worker one of its own",
        "FENCED_INSTANCE_ID UNRELEASED_INSTANCE_ID",
    ),
    (KafkaErrorKind.SETTING, "the brokers do not take the group's name: check QUALITY_GROUP_ID", "INVALID_GROUP_ID"),
    (
        KafkaErrorKind.SETTING,
        "set session.timeout.ms between group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers",
        "INVALID_SESSION_TIMEOUT",
    ),
    (
        KafkaErrorKind.SETTING,
        "members of another program, or of another version, share the group: check QUALITY_GROUP_ID",
        "INCONSISTENT_GROUP_PROTOCOL UNSUPPORTED_ASSIGNOR",
    ),
    (
        KafkaErrorKind.SETTING,
        "set transaction.timeout.ms to at most transaction.max.timeout.ms of the brokers",
        "INVALID_TRANSACTION_TIMEOUT",
    ),
    (
        KafkaErrorKind.SETTING,
        "check sasl.mechanism and security.protocol",
        "UNSUPPORTED_SASL_MECHANISM ILLEGAL_SASL_STATE",
    ),
    (
        KafkaErrorKind.SETTING,
        "Kafka takes topics of letters, digits, dots, dashes and underscores, 249 at most: check QUALITY_INPUT_TOPIC "
        "and the other topics' names",
        "TOPIC_EXCEPTION",
    ),
    (
        KafkaErrorKind.SETTING,
        "compression.type is none that the brokers or this client have",
        "UNSUPPORTED_COMPRESSION_TYPE _BAD_COMPRESSION",
    ),
    (KafkaErrorKind.SETTING, "acks is none that the brokers take", "INVALID_REQUIRED_ACKS"),
    (
        KafkaErrorKind.SETTING,
        "the brokers do not make a topic like this: check --partitions, and default.replication.factor and policies "
        "of the brokers",
        "INVALID_PARTITIONS INVALID_REPLICATION_FACTOR INVALID_REPLICA_ASSIGNMENT INVALID_CONFIG POLICY_VIOLATION",
    ),
    (
        KafkaErrorKind.SETTING,
        "see [kafka] in lpa.toml and the LPA_KAFKA_ variables",
        "_INVALID_ARG _NOT_CONFIGURED _UNKNOWN_PROTOCOL _FS _EXISTING_SUBSCRIPTION",
    ),
    (
        KafkaErrorKind.FINAL,
        "the group has live members: stop the workers first",
        "NON_EMPTY_GROUP GROUP_SUBSCRIBED_TO_TOPIC",
    ),
    (
        KafkaErrorKind.FINAL,
        "a name holds characters that Kafka's client does not take, or a record is damaged: client.id, group.id and "
        "group.instance.id may hold printable ASCII only",
        "_BAD_MSG",
    ),
    (
        KafkaErrorKind.FINAL,
        "the brokers are too old, or too new for this client: lpa needs brokers from 2.5 on",
        "UNSUPPORTED_VERSION _UNSUPPORTED_FEATURE UNSUPPORTED_FOR_MESSAGE_FORMAT",
    ),
    (KafkaErrorKind.FINAL, "this machine has no memory or threads left", "_CRIT_SYS_RESOURCE"),
    (
        KafkaErrorKind.FINAL,
        "lpa asks for nothing that is answered like this: report it as a fault in lpa",
        "_NOT_IMPLEMENTED _READ_ONLY _INVALID_TYPE _UNKNOWN_GROUP _KEY_SERIALIZATION _VALUE_SERIALIZATION "
        "_KEY_DESERIALIZATION _VALUE_DESERIALIZATION INVALID_REQUEST SECURITY_DISABLED LISTENER_NOT_FOUND "
        "TOPIC_DELETION_DISABLED ELECTION_NOT_NEEDED NO_REASSIGNMENT_IN_PROGRESS RESOURCE_NOT_FOUND "
        "DUPLICATE_RESOURCE INCONSISTENT_VOTER_SET INVALID_UPDATE_VERSION FEATURE_UPDATE_FAILED "
        "MISMATCHED_ENDPOINT_TYPE UNSUPPORTED_ENDPOINT_TYPE INVALID_REGISTRATION INVALID_RECORD_STATE "
        "SHARE_SESSION_NOT_FOUND INVALID_SHARE_SESSION_EPOCH FENCED_STATE_EPOCH INVALID_VOTER_KEY DUPLICATE_VOTER "
        "VOTER_NOT_FOUND INVALID_REGULAR_EXPRESSION STREAMS_INVALID_TOPOLOGY STREAMS_INVALID_TOPOLOGY_EPOCH "
        "STREAMS_TOPOLOGY_FENCED SHARE_SESSION_LIMIT_REACHED",
    ),
)
MEANINGS: Final[Mapping[str, Meaning]] = {
    name: Meaning(kind, words) for kind, words, names in _TABLE for name in names.split()
}
"""By the name of the code, as :class:`confluent_kafka.KafkaError` has it."""

_ENDED: Final = "_FATAL"
_NEWER: Final = Meaning(KafkaErrorKind.PASSES, "this version of lpa does not know the error")


def meaning(problem: KafkaError) -> Meaning:
    """What the error means. A code that a later client adds counts as one that passes."""
    return MEANINGS.get(_name(problem), _NEWER)


def fault(problem: KafkaError, what: str) -> Exception:
    """The error as an exception of the delivery's contract. ``what`` was not possible, as in "cannot read"."""
    found = meaning(problem)
    ended = problem.fatal() or problem.name() == _ENDED
    text = f"{what}: {problem.str()}{f': {found.words}' if found.words else ''}"
    match found.kind:
        case KafkaErrorKind.FORBIDDEN:
            return ForbiddenError(text)
        case KafkaErrorKind.SETTING | KafkaErrorKind.FINAL:
            return BrokerError(text)
        case KafkaErrorKind.TAKEN_OVER:
            return TakenOverError(text)
        case KafkaErrorKind.MEMBERSHIP if not ended:
            return FencedError(text)
        case _:
            return CommitUncertainError(text) if ended else BrokerUnavailable(text)


def _name(problem: KafkaError) -> str:
    """The name of the code. A consumer that ended says so by a code of its own, and why only in the text."""
    if problem.name() != _ENDED:
        return problem.name()
    text = problem.str()
    described = {type(problem)(getattr(problem, name)).str(): name for name in MEANINGS if name != _ENDED}
    inside = [description for description in described if description in text]
    return described[max(inside, key=len)] if inside else _ENDED
