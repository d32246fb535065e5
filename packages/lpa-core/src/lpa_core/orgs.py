"""Whose events a topic holds, and how that tells equal keys apart (docs/spec/producers.md section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, final

import attrs

NO_ORG: Final = ""
"""Of every event if nobody says whose events a topic holds."""
UNKNOWN_ORG: Final = "unknown"
"""Of events of a topic that a map does not name."""
_SEPARATOR: Final = "\x1f"


@final
@attrs.frozen
class TopicOrgs:
    """The org of each topic. ``by_topic`` is empty if there is no map."""

    by_topic: Mapping[str, str] = attrs.field(factory=dict)

    def of(self, topic: str) -> str:
        return self.by_topic.get(topic, UNKNOWN_ORG) if self.by_topic else NO_ORG


@final
class EventKey(NamedTuple):
    """Tells events apart. ``dedup_key`` is a row's raw_event_uid."""

    org: str
    dedup_key: str


WITHOUT_ORGS: Final = TopicOrgs()


def claim_key(org: str, dedup_key: str) -> str:
    """What an event claims: two orgs may have events of one dedup key."""
    return of_org(org, dedup_key)


def of_org(org: str, key: str) -> str:
    """A key that two orgs may have, told apart; without an org it stays as it is."""
    return f"{org}{_SEPARATOR}{key}" if org else key
