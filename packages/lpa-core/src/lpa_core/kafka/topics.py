"""The topics there should be (docs/spec/operations.md section 3), and making them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, final

import attrs
import tenacity

from lpa_core.delivery.consumer_group import BrokerError
from lpa_core.kafka.admin import SECONDS, explained
from lpa_core.kafka.configuration import envelope_max_bytes
from lpa_core.kafka.errors import KafkaErrorKind, meaning
from lpa_core.settings.loading import SettingsError
from lpa_core.settings.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

DLQ_RETENTION_MS: Final = 2_592_000_000
"""30 days, as long as the rows (docs/spec/operations.md section 3)."""
QUARANTINE_RETENTION_MS: Final = 604_800_000
"""7 days (docs/spec/operations.md section 3); the rows stay for 30."""
TOUCHED_RETENTION_MS: Final = 604_800_000
"""7 days: a materializer that was down for longer rebuilds."""
BROKERS_DEFAULT: Final = -1


@final
@attrs.frozen(slots=True)
class Topic:
    """``partitions``: BROKERS_DEFAULT where any number is right. ``settings`` are Kafka's topic settings."""

    name: str
    partitions: int
    settings: Mapping[str, str]


@final
@attrs.frozen(slots=True)
class Difference:
    """A setting of an existing topic that is not as it should be; ``partitions`` is one of them."""

    setting: str
    wanted: str
    found: str


@final
@attrs.frozen(slots=True)
class TopicState:
    """How a topic fares.

    ``present`` tells whether it is there now, ``created`` whether it was made just now, ``readable`` whether this login
    may look at its settings.
    """

    name: str
    present: bool
    created: bool = False
    partitions: int = 0
    differences: tuple[Difference, ...] = ()
    readable: bool = True


def wanted_topics(settings: Settings, input_partitions: int = BROKERS_DEFAULT) -> tuple[Topic, ...]:
    """The topics of input, rejects and touched sessions. Raises SettingsError if two of them are the same."""
    quality = settings.quality
    named = (*quality.topics, quality.dlq_topic, quality.quarantine_topic, quality.touched_topic)
    if len(set(named)) < len(named):
        read = "QUALITY_INPUT_TOPICS" if quality.input_topics else "QUALITY_INPUT_TOPIC"
        raise SettingsError(
            f"{read}, QUALITY_DLQ_TOPIC, QUALITY_QUARANTINE_TOPIC and QUALITY_TOUCHED_TOPIC must name "
            f"{'four' if len(named) == 4 else len(named)} topics, not {', '.join(named)}"
        )
    # A batch may exceed a producer's limit by one record.
    rejects = {"cleanup.policy": "delete", "max.message.bytes": str(2 * envelope_max_bytes(settings))}
    return (
        *(Topic(name, input_partitions, {"cleanup.policy": "delete"}) for name in quality.topics),
        Topic(quality.dlq_topic, 1, {**rejects, "retention.ms": str(DLQ_RETENTION_MS)}),
        Topic(quality.quarantine_topic, 1, {**rejects, "retention.ms": str(QUARANTINE_RETENTION_MS)}),
        Topic(
            quality.touched_topic,
            input_partitions,
            {"cleanup.policy": "delete", "retention.ms": str(TOUCHED_RETENTION_MS)},
        ),
    )


def compare(admin: AdminClient, topics: Sequence[Topic], settings: Settings) -> list[TopicState]:
    """How each of the topics is found. Raises BrokerError, BrokerUnavailable."""
    found = partitions(admin, [topic.name for topic in topics], settings)
    with explained("describe the settings of topics", settings):
        return [
            _state(topic, found[topic.name], _settings_of(admin, topic.name))
            if topic.name in found
            else TopicState(topic.name, present=False)
            for topic in topics
        ]


def require_topics(admin: AdminClient, topics: Sequence[Topic], settings: Settings) -> None:
    """Raise BrokerError, which names them, where topics are missing; ForbiddenError, BrokerUnavailable."""
    names = [topic.name for topic in topics]
    found = partitions(admin, names, settings)
    missing = [name for name in names if name not in found]
    if missing:
        raise BrokerError(
            f"Kafka at {settings.quality.kafka_bootstrap} has no topic {', '.join(missing)}: `lpa topics apply` makes "
            "what is missing"
        )


def partitions(admin: AdminClient, names: Sequence[str], settings: Settings) -> dict[str, int]:
    """How many partitions each of the topics has that are there.

    Raises ForbiddenError, BrokerError, BrokerUnavailable.
    """
    from confluent_kafka import KafkaError, KafkaException, TopicCollection

    found = {}
    # Not by listing all topics: one that this login may not see would look as if it were not there.
    with explained("describe topics", settings):
        described = admin.describe_topics(TopicCollection([*names]), request_timeout=SECONDS)
    for name, each in described.items():
        with explained(f"describe the topic {name}", settings):
            try:
                found[name] = len(each.result().partitions)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
    return found


def apply(admin: AdminClient, topics: Sequence[Topic], settings: Settings) -> list[TopicState]:
    """Make those that are missing; what is there is left as it is.

    Raises BrokerError, where it is not permitted among others, and BrokerUnavailable. Some topics may have been made
    then.
    """
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.cimpl import NewTopic

    missing = {state.name for state in compare(admin, topics, settings) if not state.present}
    created = set()
    if missing:
        new = [
            NewTopic(
                topic.name,
                num_partitions=topic.partitions,
                replication_factor=BROKERS_DEFAULT,
                config=dict(topic.settings),
            )
            for topic in topics
            if topic.name in missing
        ]
        with explained("create topics", settings):
            making = admin.create_topics(new, operation_timeout=SECONDS, request_timeout=SECONDS)
        for name, future in making.items():
            with explained(f"create the topic {name}", settings):
                try:
                    future.result()
                    created.add(name)
                except KafkaException as error:
                    if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was faster
                        raise
    # A broker hears of new topics a moment after the controller has made them.
    found = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda states: not all(s.partitions for s in states if s.name in created)),
        wait=tenacity.wait_fixed(0.1),
        stop=tenacity.stop_after_delay(SECONDS),
        retry_error_callback=lambda last: compare(admin, topics, settings),
    )(compare, admin, topics, settings)
    return [attrs.evolve(state, created=state.name in created) for state in found]


def _settings_of(admin: AdminClient, topic: str) -> dict[str, str] | None:
    """The topic's settings; None if this login may not look at them."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]  # documented there

    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    (described,) = admin.describe_configs([resource], request_timeout=SECONDS).values()
    try:
        return {name: entry.value for name, entry in described.result().items()}
    except KafkaException as error:
        if meaning(error.args[0]).kind is not KafkaErrorKind.FORBIDDEN:
            raise
        return None


def _state(topic: Topic, partitions: int, found: Mapping[str, str] | None) -> TopicState:
    differences = [
        Difference(name, wanted, found.get(name, ""))
        for name, wanted in topic.settings.items()
        if found is not None and found.get(name) != wanted
    ]
    if topic.partitions > partitions:
        differences.append(Difference("partitions", str(topic.partitions), str(partitions)))
    return TopicState(
        topic.name,
        present=True,
        partitions=partitions,
        differences=tuple(differences),
        readable=found is not None,
    )
