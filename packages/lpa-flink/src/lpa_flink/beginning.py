"""Where the job begins to read a topic that its group has committed nothing of: always at the topic's beginning."""

from __future__ import annotations

from collections.abc import Iterable

from lpa_core.delivery.consumer_group import Partition
from lpa_core.errors import ConfigurationError
from lpa_core.settings.quality import QualitySettings


class FlinkBeginningError(ConfigurationError):
    """A topic would be read from its end, which the job cannot do. One line, with the remedy."""


def require_begun(quality: QualitySettings, committed: Iterable[Partition]) -> None:
    """Raise FlinkBeginningError if a topic that is to be read from its end is not ``committed`` yet.

    A worker commits that end and notes what lies before it (docs/delivery.md). Flink's source does neither: after a
    restart from no state it would begin at another end.
    """
    begun = {partition.topic for partition in committed}
    waiting = sorted((quality.topics_from_their_end & {*quality.topics}) - begun)
    if waiting:
        raise FlinkBeginningError(
            f"QUALITY_TOPIC_RESET_STRATEGY_MAP has {waiting[0]}=latest, and a job on Flink begins at a topic's "
            "beginning: take the topic out of it, or run `lpa ingest` once, which commits where the topic ends"
        )
