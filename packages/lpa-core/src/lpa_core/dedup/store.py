"""The contract of a dedup store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, final, runtime_checkable

import attrs

from lpa_core.errors import ConfigurationError, Unavailable
from lpa_core.records import Position


class DedupStoreError(ConfigurationError):
    """The store cannot be used as configured. The message names it and the remedy, in one line."""


@final
class DamagedClaimsError(DedupStoreError):
    """What the store keeps on disk cannot be read."""


@final
class LostClaimsError(DedupStoreError):
    """Claims that were made are gone: duplicates of what they stand for would pass."""


class DedupStoreUnavailable(Unavailable):
    """The store cannot be reached now. The caller waits and asks again: it never goes on without."""


@final
@attrs.frozen(slots=True)
class ClaimStatistics:
    """Figures about a store, for health and metrics. ``keys`` may be an estimate."""

    keys: int
    bytes_on_disk: int
    evicted: int = 0
    """Keys that the server of a shared store has evicted since it started."""


class DedupStore(Protocol):
    """Maps a dedup key to the position that first brought it.

    A record is a duplicate only when *another* position owns its key, so going over the
    same records again after a crash finds no duplicates. Time is always an argument.

    One store is used by one thread at a time. Every method may block on disk or network,
    and may raise :class:`DedupStoreUnavailable`, in which case nothing is known to have
    happened and the same call can be repeated safely, or :class:`DedupStoreError`.
    """

    def claim(
        self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int], batch_time: int
    ) -> list[Position | None]:
        """Claim each key for the position at the same index and return who owns it.

        Args:
            keys: dedup keys, in record order; the same key may stand several times.
            topic, partition: where all the records came from.
            offsets: the records' offsets, as many as keys.
            batch_time: epoch ms; written with each new claim, and what the TTL is judged against.

        Returns:
            For each key None if its position owns it now, else the position that does.
            A claim expires when ``batch_time - claimed_at > ttl``; an expired key is free.
            The first of several equal keys in one call wins. A position that meets its own claim
            keeps it, and the claim's time stays as it was.
            The claims outlive a killed process once the call has returned.
        """
        ...

    def release(self, keys: Sequence[str], topic: str, partition: int, offsets: Sequence[int]) -> None:
        """Give claims back, each only if the position at the same index owns it."""
        ...

    def snapshot(self, target: Path) -> None:
        """Write a consistent copy into the folder ``target``, which must not exist yet.

        Opening a store of the same kind on that folder gives the claims as they were.
        Raises FileExistsError if the folder exists, NotImplementedError where the
        claims live in a shared server that has snapshots of its own.
        """
        ...

    def statistics(self) -> ClaimStatistics: ...

    def close(self) -> None:
        """Flush and let go of files and connections. Closing twice is allowed."""
        ...


@final
class Claimed(NamedTuple):
    """Claims of one batch, as :meth:`DedupStore.claim` is given them."""

    keys: Sequence[str]
    topic: str
    partition: int
    offsets: Sequence[int]
    batch_time: int


@runtime_checkable
class SupportsVouching(Protocol):
    """A store in a server that may lose claims, and which notices when it did.

    Its ``claim`` raises LostClaimsError from then on, whichever worker asks, until ``recover`` has ended.
    """

    def loss(self, *, some: bool) -> str:
        """Why claims are gone, or empty. Where ``some`` were made for certain, a store without any has lost them.

        Raises DedupStoreError if the server could lose claims, DedupStoreUnavailable.
        """
        ...

    def require_kept(self, *, some: bool) -> None:
        """Raise LostClaimsError if :meth:`loss` has something to tell; and what that raises."""
        ...

    def recover(self, claims: Iterable[Claimed]) -> int:
        """Have these claims, and those that are there for other keys, and take that for all; return how many keys came.

        Of two claims of one key the older stays.

        Raises DedupStoreError, DedupStoreUnavailable.
        """
        ...


@runtime_checkable
class SupportsChangeCount(Protocol):
    """A store whose claims can be lost in part, with a file of it, and that can tell."""

    def changes(self) -> int:
        """How many changes were ever made and are still there. Fewer than before: claims were lost.

        Raises DedupStoreUnavailable, DedupStoreError.
        """
        ...


@runtime_checkable
class SupportsExamination(Protocol):
    """A store in a server that can be judged without a change of anything in it."""

    def examine(self) -> str:
        """Ask everything that the first claim asks, and say in one line what was found.

        Raises DedupStoreError, LostClaimsError, DedupStoreUnavailable.
        """
        ...
