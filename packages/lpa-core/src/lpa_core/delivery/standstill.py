"""Whether a worker gets on: records wait, and nothing of them is finished."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, final

import attrs

from lpa_core.delivery.consumer_group import ForbiddenError, Partition

_APART_SECONDS: Final = 60.0
"""Two refusals further apart than this are two: what was refused was allowed between them."""
_HOPELESS: Final = 10
"""Times the limit, after which a worker that nothing is known to hinder is not expected to get on again."""


@final
@attrs.define(slots=True)
class _Seen:
    committed: int
    read: int
    since: float


@final
class Standstill:
    """Kept over the sessions of a worker. Read by any thread, written by those of the worker.

    ``clock`` gives seconds. ``limit`` is how long nothing may be finished, seconds.
    """

    def __init__(self, limit: float, clock: Callable[[], float]) -> None:
        self._limit, self._clock = limit, clock
        self._since: float | None = None
        """When records were first seen to wait, after what was finished last."""
        self._hindrance = ""
        self._refused: tuple[float, float] | None = None
        """When a permission was first missing, and when last."""
        self._partitions: dict[Partition, _Seen] = {}

    def finished(self) -> None:
        """Something was finished."""
        self._since, self._hindrance = None, ""

    def hindered(self, why: str) -> None:
        """Something did not work, and is tried again."""
        self._hindrance = why

    def refused(self, error: ForbiddenError) -> None:
        """A permission is missing. Raises the error, where it was missing for longer than the limit."""
        now = self._clock()
        first, last = self._refused or (now, now)
        first = first if now - last <= _APART_SECONDS else now
        self._refused = first, now
        self.hindered(str(error))
        if now - first > self._limit:
            raise error

    def look(self, partitions: Mapping[Partition, tuple[int, int, bool]], *, whole: bool) -> None:
        """See how the worker's partitions are: committed offset, next offset to read, whether records wait.

        Called every few seconds, while the worker is a member of its group. ``whole``: whether these are all that it
        has; what is known of the others does not yet tell whether records wait.
        """
        now = self._clock()
        if any(waiting for _, _, waiting in partitions.values()):
            self._since = now if self._since is None else self._since
        elif whole:
            self._since, self._hindrance = None, ""
        seen = {}
        for partition, (committed, read, waiting) in partitions.items():
            before = self._partitions.get(partition)
            still = waiting and before is not None and (before.committed, before.read) == (committed, read)
            seen[partition] = before if still and before is not None else _Seen(committed, read, now)
        self._partitions = seen

    @property
    def hindrance(self) -> str:
        """What did not work last, if nothing was finished since."""
        return self._hindrance

    def stalled(self) -> list[str]:
        """What does not get on for longer than the limit, a line for each; empty if all does."""
        now = self._clock()
        if self._since is not None and now - self._since > self._limit:
            return [f"nothing was finished for {now - self._since:.0f} seconds, though records wait"]
        return [
            f"{partition}: no record was read or finished for {now - seen.since:.0f} seconds, though records wait"
            for partition, seen in sorted(self._partitions.items())
            if now - seen.since > self._limit
        ]

    def seconds(self) -> float:
        """The longest time for which a part that :meth:`stalled` names has not moved; 0 if all parts move."""
        now = self._clock()
        begun = [seen.since for seen in self._partitions.values()]
        longest = now - min([*begun, now if self._since is None else self._since])
        return longest if longest > self._limit else 0.0

    def hopeless(self) -> bool:
        """Whether nothing is finished for so long, for no reason that is known, that only a new process may help."""
        return not self._hindrance and self._since is not None and self._clock() - self._since > _HOPELESS * self._limit
