"""Which access control lists (ACLs) each command needs of Kafka, and which of them are missing.

The one list of them: docs/operations/permissions.md shows it, commands check it when they start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, final

import attrs

from lpa_core.delivery.consumer_group import ForbiddenError
from lpa_core.kafka.admin import SECONDS, explained
from lpa_core.kafka.errors import KafkaErrorKind, meaning
from lpa_core.settings.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient


@final
@attrs.frozen
class Permission:
    """An ACL as `kafka-acls` names it.

    Attributes:
        resource: TOPIC, GROUP, TRANSACTIONAL_ID or CLUSTER.
        setting: which names the resource; empty for the cluster.
        operation: such as READ, which includes DESCRIBE, as WRITE does.
        prefixed: names that begin with the setting's value.
        optional: without it the command does less, and says so.
    """

    resource: str
    setting: str
    operation: str
    prefixed: bool = False
    optional: bool = False

    def names(self, settings: Settings) -> tuple[str, ...]:
        """The resources: the input topics may be several."""
        if not self.setting:
            return ("kafka-cluster",)
        return settings.quality.topics if self.setting == _INPUT else (_NAMES[self.setting](settings),)

    def shown(self, name: str) -> str:
        """The permission on the resource of that name."""
        kind = self.resource.lower().replace("_", " ")
        return f"{self.operation} on the {kind} {name}{' (prefixed)' if self.prefixed else ''}"


_INPUT: Final = "QUALITY_INPUT_TOPIC"
_NAMES: Final[Mapping[str, Callable[[Settings], str]]] = {
    "QUALITY_DLQ_TOPIC": lambda settings: settings.quality.dlq_topic,
    "QUALITY_QUARANTINE_TOPIC": lambda settings: settings.quality.quarantine_topic,
    "QUALITY_TOUCHED_TOPIC": lambda settings: settings.quality.touched_topic,
    "QUALITY_GROUP_ID": lambda settings: settings.quality.group_id,
    "LPA_MATERIALIZE_GROUP_ID": lambda settings: settings.lpa.materialize_group_id,
    "REPLAY_GROUP_ID": lambda settings: settings.replay.group_id,
}


def _topics(operation: str, *, optional: bool = False) -> tuple[Permission, ...]:
    topics = [_INPUT, *(name for name in _NAMES if name.endswith("_TOPIC"))]
    return tuple(Permission("TOPIC", name, operation, optional=optional) for name in topics)


_OFFSETS_READ: Final = (
    Permission("TOPIC", _INPUT, "DESCRIBE"),
    Permission("GROUP", "QUALITY_GROUP_ID", "DESCRIBE"),
    Permission("TOPIC", "QUALITY_TOUCHED_TOPIC", "DESCRIBE"),
    Permission("GROUP", "LPA_MATERIALIZE_GROUP_ID", "DESCRIBE"),
)
_OFFSETS_WRITTEN: Final = (
    Permission("TOPIC", _INPUT, "READ"),
    Permission("GROUP", "QUALITY_GROUP_ID", "READ"),
    Permission("TOPIC", "QUALITY_TOUCHED_TOPIC", "READ"),
    Permission("GROUP", "LPA_MATERIALIZE_GROUP_ID", "READ"),
)
PERMISSIONS: Final[Mapping[str, tuple[Permission, ...]]] = {
    "lpa topics show": (*_topics("DESCRIBE"), *_topics("DESCRIBE_CONFIGS", optional=True)),
    "lpa topics apply": (
        *_topics("CREATE"),
        *_topics("DESCRIBE"),
        *_topics("DESCRIBE_CONFIGS", optional=True),
    ),
    "lpa erase": (
        Permission("GROUP", "QUALITY_GROUP_ID", "DESCRIBE"),
        Permission("GROUP", "LPA_MATERIALIZE_GROUP_ID", "DESCRIBE"),
    ),
    "lpa generate": (Permission("TOPIC", _INPUT, "WRITE"),),
    "lpa ingest": (
        Permission("TOPIC", _INPUT, "READ"),
        Permission("TOPIC", "QUALITY_DLQ_TOPIC", "WRITE"),
        Permission("TOPIC", "QUALITY_QUARANTINE_TOPIC", "WRITE"),
        Permission("TOPIC", "QUALITY_TOUCHED_TOPIC", "WRITE"),
        Permission("GROUP", "QUALITY_GROUP_ID", "READ"),
        Permission("TRANSACTIONAL_ID", "QUALITY_GROUP_ID", "WRITE", prefixed=True),
        Permission("CLUSTER", "", "DESCRIBE_CONFIGS", optional=True),
    ),
    "lpa materialize": (
        Permission("TOPIC", "QUALITY_TOUCHED_TOPIC", "READ"),
        Permission("GROUP", "LPA_MATERIALIZE_GROUP_ID", "READ"),
    ),
    "lpa replay": (
        Permission("TOPIC", "QUALITY_DLQ_TOPIC", "READ"),
        Permission("TOPIC", _INPUT, "WRITE"),
        Permission("TOPIC", "QUALITY_QUARANTINE_TOPIC", "WRITE"),
        Permission("GROUP", "REPLAY_GROUP_ID", "READ", prefixed=True),
        Permission("TRANSACTIONAL_ID", "REPLAY_GROUP_ID", "WRITE", prefixed=True),
    ),
    "lpa health": (
        Permission("TOPIC", _INPUT, "READ"),
        Permission("GROUP", "QUALITY_GROUP_ID", "DESCRIBE"),
        Permission("TOPIC", "QUALITY_TOUCHED_TOPIC", "DESCRIBE", optional=True),
        Permission("GROUP", "LPA_MATERIALIZE_GROUP_ID", "DESCRIBE", optional=True),
    ),
    "lpa savepoint": _OFFSETS_WRITTEN[:2],
    "lpa backup create": _OFFSETS_READ,
    "lpa backup restore": _OFFSETS_WRITTEN,
    "lpa recover offset-loss": _OFFSETS_WRITTEN[:2],
    "lpa recover": _OFFSETS_WRITTEN,
}
"""Command -> what it needs."""

_UNASKABLE: Final = ("TRANSACTIONAL_ID", "CLUSTER")
"""Brokers do not report these beforehand; the first use of a transactional id does."""


def require(command: str, admin: AdminClient, settings: Settings) -> None:
    """Raise ForbiddenError, which names each, where this login lacks something that the command needs."""
    lacking = missing(PERMISSIONS[command], admin, settings)
    if lacking:
        raise ForbiddenError(
            f"Kafka at {settings.quality.kafka_bootstrap}: this login lacks "
            f"{', '.join(each.shown(name) for each, name in lacking)}: `{command}` needs it "
            "(docs/operations/permissions.md)"
        )


def missing(permissions: Sequence[Permission], admin: AdminClient, settings: Settings) -> list[tuple[Permission, str]]:
    """The permissions that this login lacks according to the brokers, each with the name of what it lacks it on.

    A topic that does not exist lacks none.

    Raises BrokerError, BrokerUnavailable.
    """
    needed = [each for each in permissions if not each.optional and each.resource not in _UNASKABLE]
    topics = {name for each in needed if each.resource == "TOPIC" for name in each.names(settings)}
    groups = {
        name for each in needed if each.resource == "GROUP" and not each.prefixed for name in each.names(settings)
    }
    allowed = {
        **{("TOPIC", name): found for name, found in _of_topics(admin, topics, settings).items()},
        **{("GROUP", name): found for name, found in _of_groups(admin, groups, settings).items()},
    }

    def lacks(permission: Permission, name: str) -> bool:
        found = allowed.get((permission.resource, name))
        return found is not None and permission.operation not in found and "ALL" not in found

    return [(each, name) for each in needed for name in each.names(settings) if lacks(each, name)]


def _of_topics(admin: AdminClient, names: Collection[str], settings: Settings) -> dict[str, Collection[str] | None]:
    from confluent_kafka import TopicCollection

    if not names:
        return {}
    with explained("describe topics", settings):
        asked = admin.describe_topics(
            TopicCollection(sorted(names)), include_authorized_operations=True, request_timeout=SECONDS
        )
        return {name: _allowed(described) for name, described in asked.items()}


def _of_groups(admin: AdminClient, names: Collection[str], settings: Settings) -> dict[str, Collection[str] | None]:
    if not names:
        return {}
    with explained("describe groups", settings):
        asked = admin.describe_consumer_groups(
            sorted(names), include_authorized_operations=True, request_timeout=SECONDS
        )
        return {name: _allowed(described) for name, described in asked.items()}


def _allowed(described: Any) -> Collection[str] | None:
    """The operations; None if nobody knows, such as of a topic that is not there."""
    from confluent_kafka import KafkaException

    try:
        operations = described.result().authorized_operations
    except KafkaException as error:
        found = meaning(error.args[0])
        if found.kind is KafkaErrorKind.FORBIDDEN:
            return ()
        if found.kind in (KafkaErrorKind.UNREACHABLE, KafkaErrorKind.SETTING, KafkaErrorKind.FINAL):
            raise
        return None
    return None if operations is None else {each.name for each in operations}
