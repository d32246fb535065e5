"""Where the records of a run go, and whose events they are there (docs/spec/producers.md section 2)."""

from __future__ import annotations

from typing import Final, final

import attrs

from lpa_core.orgs import WITHOUT_ORGS, TopicOrgs
from lpa_core.records import Position
from lpa_core.settings.settings import Settings
from lpa_replay.sources.kafka_settings import replay_settings


@final
@attrs.frozen
class Destination:
    """``topics``: those that records may be sent to; none if they go straight into a database."""

    topics: tuple[str, ...] = ()
    orgs: TopicOrgs = WITHOUT_ORGS

    @classmethod
    def of(cls, settings: Settings, *, kafka: bool) -> Destination:
        quality = replay_settings(settings).quality
        return cls(quality.topics if kafka else (), quality.orgs)

    def topic(self, origin: Position) -> str | None:
        """The only topic there is, or the one that a record came from; None if that is not among them."""
        if len(self.topics) == 1:
            return self.topics[0]
        return origin.topic if origin.topic in self.topics else None

    def org(self, origin: Position) -> str:
        return self.orgs.of(self.topic(origin) or origin.topic)


ANYWHERE: Final = Destination()
"""Into a database, without orgs."""
