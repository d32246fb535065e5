"""Which records a fix is for."""

from __future__ import annotations

import re
from typing import Any, final

import attrs

from lpa_core.events.coercion import scalar_text
from lpa_core.replays import ReplayRecord
from lpa_replay.fix.paths import Path, slots


@final
@attrs.frozen
class FailureCondition:
    """Each of them that is given has to be the record's; each can be one of several."""

    classes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    def holds(self, record: ReplayRecord) -> bool:
        return (
            (not self.classes or record.failure_class in self.classes)
            and (not self.reasons or record.failure_reason in self.reasons)
            and (not self.stages or record.failure_stage in self.stages)
            and (not self.types or record.event_type in self.types)
        )


@final
@attrs.frozen
class PayloadCondition:
    """Exactly one of ``missing``, ``equals`` and ``matches`` is given.

    A value is missing where its key is not there, or holds null or empty text. With ``*`` in the path one item of
    the array is enough.
    """

    path: Path
    missing: bool | None = None
    equals: Any = None
    matches: re.Pattern[str] | None = None

    def holds(self, document: dict[str, Any]) -> bool:
        values = [slot.holder.get(slot.key) for slot in slots(document, self.path)]
        if self.missing is not None:
            return self.missing == all(value in (None, "") for value in values)
        if self.matches is not None:
            return any(self.matches.search(scalar_text(value) or "") for value in values)
        return any(type(value) is type(self.equals) and value == self.equals for value in values)
