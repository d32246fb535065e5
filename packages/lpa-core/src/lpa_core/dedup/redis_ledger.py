"""Whether a Redis has every claim still that it was given: judged by what it says of itself, and by a note in it.

Redis loses claims without a word: it evicts them, is emptied, or comes back with older data. The note is a hash that
never expires. It names the server that was seen last and how many keys that had evicted, and counts batches of claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self, final

import attrs

PREFIX: Final = "lpa:claim:"
"""What the keys of claims begin with."""
LEDGER: Final = "ledger"
"""Behind the prefix: the note's key. Digests of claims are longer."""
FIELDS: Final = ("run_id", "evicted", "batches", "lost")
SECTIONS: Final = ("server", "memory", "stats", "replication")
"""Of INFO: what is judged."""
OLDEST_REDIS: Final = 7
"""The first version whose SET takes NX and GET together (redis.io, SET)."""


@final
@attrs.frozen(slots=True)
class Ledger:
    """The note.

    Attributes:
        run_id: of the server that was seen last; empty if nothing was noted.
        evicted: keys that it had evicted by then.
        batches: of claims, so far.
        lost: why claims are known to be gone; empty if none are.
    """

    run_id: str = ""
    evicted: int = 0
    batches: int = 0
    lost: str = ""

    @classmethod
    def read(cls, fields: Sequence[bytes | None]) -> Self:
        """From the values of :data:`FIELDS`."""
        run_id, evicted, batches, lost = (field.decode() if field else "" for field in fields)
        return cls(run_id, int(evicted or 0), int(batches or 0), lost)

    @property
    def empty(self) -> bool:
        return self == Ledger()

    def loss(self, server: Mapping[str, Any], batches: int = 0) -> str:
        """Why claims are gone; empty if they are there.

        Args:
            server: INFO of the server that holds the note now.
            batches: as many the note has to have counted by now.
        """
        if self.lost:
            return self.lost
        if not self.run_id:
            return "they were deleted, or Redis was started again without its data"
        if self.batches < batches:
            return "Redis came back with older data"
        evicted = int(server["evicted_keys"])
        if self.run_id == server["run_id"]:
            since = evicted - self.evicted if evicted >= self.evicted else evicted  # the counter may have been reset
        else:
            since = evicted
        return f"Redis evicted {since:,} keys" if since else ""


def unfit(server: Mapping[str, Any], policy: str | None) -> str:
    """Why a server cannot keep claims, and what to do; empty if it can.

    Args:
        server: its INFO.
        policy: its maxmemory-policy; None if nobody may know.
    """
    version = str(server["redis_version"])
    if int(version.split(".")[0]) < OLDEST_REDIS:
        return f"is version {version}; dedup claims need {OLDEST_REDIS}.0"
    if server.get("redis_mode") == "cluster":
        return "is a node of a cluster; name a single server"
    if policy is None:
        return (
            "does not say its maxmemory-policy: allow this user INFO or CONFIG GET; claims are kept by noeviction alone"
        )
    if policy != "noeviction":
        return (
            f"forgets claims when its memory is full (maxmemory-policy {policy}), and duplicates would pass; set "
            "maxmemory-policy noeviction"
        )
    return ""
