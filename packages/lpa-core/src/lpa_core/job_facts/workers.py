"""The workers that orchestrators hand BYOC jobs to, as they registered (docs/spec/producers.md sections 3 and 6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

import msgspec

from lpa_core.lifecycle.capabilities import url_key

VALID_MS: Final = 30 * 86_400_000
"""How long a registration counts."""


@final
class Registration(msgspec.Struct, frozen=True, order=True, gc=False):
    """A row of ``worker_lifecycle_events`` that says that a worker came. ``models`` are joined by commas."""

    event_timestamp: int
    """Epoch ms: when a gateway asked the orchestrator for its events."""
    source_event_uid: str
    capability: str
    orchestrator_address: str
    worker_url: str
    models: str


@final
class WorkerIndex:
    """The registrations of one org."""

    def __init__(self, registrations: Iterable[Registration] = ()) -> None:
        self._by_place: dict[tuple[str, str], list[Registration]] = {}
        for each in registrations:
            self._by_place.setdefault((each.capability, each.orchestrator_address), []).append(each)

    def latest(self, capability: str, orchestrator_address: str, worker_url: str, time: int) -> Registration | None:
        """The latest registration up to ``time`` (epoch ms), at most 30 days before.

        URLs have to be equal if both sides name one.
        """
        url = url_key(worker_url)
        return max(
            (
                each
                for each in self._by_place.get((capability, orchestrator_address), ())
                if time - VALID_MS <= each.event_timestamp <= time
                and (not url or url_key(each.worker_url) in ("", url))
            ),
            default=None,
        )
