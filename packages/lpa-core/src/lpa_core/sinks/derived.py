"""What deriving did, and why sessions had to be folded again."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import final

import attrs


class Refold(StrEnum):
    """Why a session that has facts is folded again from all its events."""

    LATE = "late"
    """An event is earlier than the last one that was folded."""
    REPEATED = "repeated"
    """Some of the rows may have been folded already."""
    CAPABILITIES = "capabilities"
    """Capabilities arrived that may change what it is attributed to."""
    FORGOTTEN = "forgotten"
    """Its fold is no longer in memory."""


@final
@attrs.define(slots=True)
class Derived:
    """What was derived.

    Attributes:
        signals: that were folded.
        sessions: whose facts were written.
        jobs: whose facts were written.
        refolds: sessions of these that had facts before, by why; a rebuild asks for it and gives no reason.
        url_wallet_mismatches: signals of these by whose URL nobody has the wallet that they name.
    """

    signals: int = 0
    sessions: int = 0
    anew: int = 0
    """Sessions of these that were folded from the beginning."""
    refolds: Counter[Refold] = attrs.field(factory=Counter[Refold])
    url_wallet_mismatches: int = 0
    jobs: int = 0

    def add(self, other: Derived) -> None:
        self.signals += other.signals
        self.sessions += other.sessions
        self.jobs += other.jobs
        self.anew += other.anew
        self.refolds.update(other.refolds)
        self.url_wallet_mismatches += other.url_wallet_mismatches
