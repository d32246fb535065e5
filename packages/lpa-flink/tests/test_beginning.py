"""Where a job begins that has no state."""

from __future__ import annotations

import pytest

from lpa_core.delivery.consumer_group import Partition
from lpa_core.settings.quality import QualitySettings
from lpa_flink.beginning import FlinkBeginningError, require_begun

LATEST = QualitySettings(input_topics=("a", "b"), topic_reset_strategy_map=("a=earliest", "b=latest", "c=latest"))


def test_a_topic_that_is_to_be_read_from_its_end_is_refused_until_a_worker_has_committed_it() -> None:
    with pytest.raises(FlinkBeginningError, match=r"has b=latest, .*: take the topic out of it, or run `lpa ingest`"):
        require_begun(LATEST, [Partition("a", 0)])
    require_begun(LATEST, [Partition("b", 3)])


def test_other_topics_are_read_from_their_beginning() -> None:
    require_begun(QualitySettings(), [])
    require_begun(QualitySettings(topic_reset_strategy_map=("streaming_events=earliest",)), [])
