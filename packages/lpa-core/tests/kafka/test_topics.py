"""Which topics there should be."""

from __future__ import annotations

import pytest

from lpa_core.kafka.topics import wanted_topics
from lpa_core.settings.loading import SettingsError
from lpa_core.settings.quality import QualitySettings
from lpa_core.settings.settings import ClickHouseSettings, Settings


def test_rejects_are_kept_as_long_as_their_rows() -> None:
    events, dlq, quarantine, touched = wanted_topics(Settings(), 12)
    assert (events.name, events.partitions) == ("streaming_events", 12)
    assert (dlq.name, dlq.partitions) == ("events.dlq.streaming_events.v1", 1)
    assert dlq.settings["retention.ms"] == "2592000000"
    assert (quarantine.name, quarantine.partitions) == ("events.quarantine.streaming_events.v1", 1)
    assert quarantine.settings["retention.ms"] == "604800000"
    assert (touched.name, touched.partitions) == ("events.touched.streaming_events.v1", 12)
    assert {topic.settings["cleanup.policy"] for topic in (events, dlq, quarantine, touched)} == {"delete"}


def test_the_largest_envelope_fits() -> None:
    _, dlq, *_ = wanted_topics(Settings(clickhouse=ClickHouseSettings(sink_max_record_bytes=3_000_000)))
    assert int(dlq.settings["max.message.bytes"]) > 3_000_000


@pytest.mark.parametrize(
    ("quality", "number"),
    [
        (QualitySettings(dlq_topic="streaming_events"), "four"),
        (QualitySettings(dlq_topic="same", quarantine_topic="same"), "four"),
        (QualitySettings(dlq_topic="b", input_topics=("a", "b")), "5"),
    ],
)
def test_rejects_are_not_written_where_they_would_be_read_again(quality: QualitySettings, number: str) -> None:
    with pytest.raises(SettingsError, match=f"must name {number} topics"):
        wanted_topics(Settings(quality=quality))


def test_every_input_topic_is_wanted_with_its_partitions() -> None:
    topics = wanted_topics(Settings(quality=QualitySettings(input_topics=("a", "b"))), 3)
    assert [(topic.name, topic.partitions) for topic in topics[:2]] == [("a", 3), ("b", 3)]
    assert len(topics) == 5
