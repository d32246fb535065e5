"""The settings of a replay's Kafka clients: those of the main job, unless REPLAY_* says otherwise."""

from __future__ import annotations

import attrs

from lpa_core.settings.settings import Settings


def replay_settings(settings: Settings) -> Settings:
    """REPLAY_KAFKA_BOOTSTRAP, REPLAY_DLQ_TOPIC and REPLAY_OUTPUT_TOPIC in the place of their QUALITY_* twins."""
    replay, quality = settings.replay, settings.quality
    return attrs.evolve(
        settings,
        quality=attrs.evolve(
            quality,
            kafka_bootstrap=replay.kafka_bootstrap or quality.kafka_bootstrap,
            dlq_topic=replay.dlq_topic or quality.dlq_topic,
            input_topics=(replay.output_topic,) if replay.output_topic else quality.input_topics,
        ),
    )
