"""How many records are generated, and of what."""

from __future__ import annotations

from typing import final

import attrs


@final
@attrs.frozen(kw_only=True)
class Mixture:
    """Records of streams, with others between them.

    Attributes:
        events: records in all.
        duplicates: share of records that repeat an earlier valid one byte for byte.
        bad: share of records that are to be rejected, for each reason in turn.
        jobs: share of records of batch and BYOC jobs, tickets and heartbeats.
        ignored: share of records that a built-in rule ignores.
        sessions: number of streams; fewer if there are not 24 valid events for each.
        seed: the same mixture gives the same bytes.

    Raises ValueError if a number is out of range.
    """

    events: int
    duplicates: float = 0.0
    bad: float = 0.0
    jobs: float = 0.0
    ignored: float = 0.0
    sessions: int = 100
    seed: int = 1

    def __attrs_post_init__(self) -> None:
        if self.events < 0:
            raise ValueError(f"events is {self.events}: give 0 or more")
        if self.sessions < 1:
            raise ValueError(f"sessions is {self.sessions}: give 1 or more")
        if min(self.duplicates, self.bad, self.jobs, self.ignored) < 0 or self.of_streams < 0:
            raise ValueError(f"{self._shares} are shares of all events: give 0 to 1, together at most 1")
        if self.repeated and not self.of_streams + self.of_jobs:
            raise ValueError(f"{self._shares} leave no valid event to repeat: make one of them smaller")

    @property
    def repeated(self) -> int:
        return round(self.events * self.duplicates)

    @property
    def broken(self) -> int:
        return round(self.events * self.bad)

    @property
    def of_jobs(self) -> int:
        return round(self.events * self.jobs)

    @property
    def passed_over(self) -> int:
        return round(self.events * self.ignored)

    @property
    def of_streams(self) -> int:
        return self.events - self.repeated - self.broken - self.of_jobs - self.passed_over

    @property
    def _shares(self) -> str:
        others = {"jobs": self.jobs, "ignored": self.ignored}
        named = [f"{name} {share}" for name, share in others.items() if share]
        first = f"duplicates {self.duplicates}"
        return ", ".join([first, f"bad {self.bad}", *named]) if named else f"{first} and bad {self.bad}"
