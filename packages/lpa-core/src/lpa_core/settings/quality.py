"""What is let in, where it comes from and whose it is (``QUALITY_*``)."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.orgs import TopicOrgs
from lpa_core.settings.values import (
    GROUP_NAME,
    MASK_KEY,
    MASKED_PATHS,
    ORG_BY_TOPIC,
    RESET_BY_TOPIC,
    TOPIC_NAME,
    TOPIC_NAMES,
    WHOLE,
    brokers,
    group_name,
    group_name_or_none,
    mask_key,
    masked_paths,
    names,
    one_of,
    option,
    org_by_topic,
    reset_by_topic,
    share,
    some_names,
    topic_name,
    topic_names,
    whole,
)


@final
@attrs.frozen
class QualitySettings:
    """What is let in (``QUALITY_*``)."""

    kafka_bootstrap: str = option("kafka:9092", "host:port, comma separated", "Kafka bootstrap servers", brokers)
    input_topic: str = option("streaming_events", TOPIC_NAME, "Topic that events are read from", topic_name)
    input_topics: tuple[str, ...] = option(
        (),
        TOPIC_NAMES,
        "Topics that events are read from, if there are several: QUALITY_INPUT_TOPIC has no effect then",
        topic_names,
    )
    topic_org_map: tuple[str, ...] = option(
        (),
        ORG_BY_TOPIC,
        "Whose events each topic holds; a topic that is not named holds those of `unknown`; without a map events have "
        "no org",
        org_by_topic,
    )
    topic_reset_strategy_map: tuple[str, ...] = option(
        (),
        RESET_BY_TOPIC,
        "Where reading a topic begins that the group has committed nothing of: at its beginning, also if it is not "
        "named, or at its end",
        reset_by_topic,
    )
    dlq_topic: str = option(
        "events.dlq.streaming_events.v1", TOPIC_NAME, "Topic of dead letters: events that cannot be stored", topic_name
    )
    quarantine_topic: str = option(
        "events.quarantine.streaming_events.v1", TOPIC_NAME, "Topic of quarantined duplicates", topic_name
    )
    touched_topic: str = option(
        "events.touched.streaming_events.v1",
        TOPIC_NAME,
        "Topic that tells `lpa materialize` which sessions have new events",
        topic_name,
    )
    group_id: str = option("flink-quality-gate-v1", GROUP_NAME, "Consumer group of all workers", group_name)
    group_instance_id: str = option(
        "",
        f"{GROUP_NAME}, or nothing",
        "Names this worker in its group: restarted within the session timeout, it keeps its partitions",
        group_name_or_none,
    )
    offset_gap_policy: str = option(
        "fail",
        "fail, earliest or latest",
        "Where to go on when the committed offset is gone, or a sink holds records beyond it",
        one_of("fail", "earliest", "latest"),
    )
    reject_limit_share: float = option(
        0.0, "a number from 0 to 1, 0 for no limit", "Share of a range above which rejects stop the worker", share
    )
    reject_limit_consecutive: int = option(
        0, "a whole number, 0 for no limit", "Rejects in a row that stop the worker", whole(0)
    )
    dedup_ttl_minutes: int = option(
        1440,
        f"{WHOLE}, at most 5256000",
        "Minutes for which a dedup key stays claimed, from its first sight",
        whole(1, 5_256_000),
    )
    supported_versions: tuple[str, ...] = option(
        ("1", "v1"), "versions, comma separated; `any` lets all pass", "Event versions that are accepted", some_names
    )
    ignored_types: tuple[str, ...] = option(
        ("pipelines_api_request", "webrtc_stats", "custom_monitoring_event"),
        "event types, comma separated, or nothing",
        "Types of events that are counted and passed over: neither stored nor dead letters",
        names,
    )
    ignored_store: str = option(
        "none",
        "none, redacted or full",
        "What is stored of ignored records beside their counts: nothing, what holds no personal data, or all of it",
        one_of("none", "redacted", "full"),
    )
    ignored_archive: str = option(
        "full",
        "full or positions",
        "What an archive keeps of ignored records: all as received, or position, time and reason alone",
        one_of("full", "positions"),
    )
    traceparent: str = option(
        "ignore",
        "keep or ignore",
        "Whether rejects keep the header traceparent of their record; with an archive they always do",
        one_of("keep", "ignore"),
    )
    masked_paths: tuple[str, ...] = option(
        (),
        MASKED_PATHS,
        "Personal data that is masked before anything is stored: by a keyed hash, or by leaving it out",
        masked_paths,
    )
    mask_key: str = option(
        "",
        MASK_KEY,
        "Makes the hashes of QUALITY_MASKED_PATHS; never shown, never logged",
        mask_key,
        secret=True,
    )

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that events are read from: at least one, each once."""
        return self.input_topics or (self.input_topic,)

    @property
    def orgs(self) -> TopicOrgs:
        return TopicOrgs(_parts(self.topic_org_map))

    @property
    def topics_from_their_end(self) -> frozenset[str]:
        """Those that are read from their end on if nothing of them is committed."""
        return frozenset(topic for topic, where in _parts(self.topic_reset_strategy_map).items() if where == "latest")


def _parts(pairs: tuple[str, ...]) -> dict[str, str]:
    return {topic: said for topic, _, said in (pair.partition("=") for pair in pairs)}
