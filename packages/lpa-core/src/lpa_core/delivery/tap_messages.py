"""What somebody asks of a tap, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, final

import msgspec

_MOST_A_SECOND: Final = 1_000.0


class TapStage(StrEnum):
    """Where in a worker a record is seen, in order."""

    READ = "read"
    JUDGED = "judged"
    CLAIMED = "claimed"
    WRITTEN = "written"


@final
class TapRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody wants to see. An empty text or list lets everything pass.

    Attributes:
        type: of the event.
        reason: a failure reason, the rule that ignores a record, or ``duplicate_event``; only what was judged has one.
        where: path -> text, from the record's root, such as ``data.pipeline``: all of them have to hold.
        sample: every so manieth of the records that fit.
        rate: records a second at most.
    """

    stage: TapStage = TapStage.JUDGED
    type: str = ""
    reason: str = ""
    where: dict[str, str] = {}
    sample: int = 1
    rate: float = 10.0

    def __post_init__(self) -> None:
        if self.sample < 1 or not 0 < self.rate <= _MOST_A_SECOND:
            raise ValueError(f"sample is at least 1, and rate above 0 and at most {_MOST_A_SECOND:.0f}")
        if self.reason and self.stage is TapStage.READ:
            raise ValueError("a record that is only read has no reason: choose a later stage")


@final
class TappedRecord(msgspec.Struct, frozen=True):
    """A record as a tap shows it: masked. ``payload`` is empty if it is longer than 64 KiB, or if there is none."""

    stage: TapStage
    topic: str
    partition: int
    offset: int
    outcome: str
    """accepted, duplicate, dead letter or ignored; empty if it is only read."""
    type: str
    reason: str
    payload: str
    size: int


@final
class TapAnswer(msgspec.Struct, frozen=True):
    """Records since the last question, and counts since the tap began.

    Attributes:
        passed: records that passed the stage.
        not_looked_at: of them, those that there was no time to look at.
        fitting: of those looked at, how many fit the request without ``where``.
        dropped: of the fitting, those that found no room, left the sample or the rate, or came when there was no time.
        ended: nothing comes any more: somebody else opened a tap, or nobody asked for too long.
    """

    records: Sequence[TappedRecord]
    passed: int
    not_looked_at: int
    fitting: int
    dropped: int
    ended: bool
