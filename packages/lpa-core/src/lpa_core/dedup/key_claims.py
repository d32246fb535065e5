"""Duplicates among events that have no position, such as those of an HTTP request."""

from __future__ import annotations

import threading
import uuid
from typing import final

from lpa_core.dedup.store import DedupStore


@final
class KeyClaims:
    """Says whether a dedup key was claimed before, by this process or another.

    A dedup store takes the same position for the same record that comes again, which is right for a source that can be
    read again. An event that comes over HTTP has no position, and a counter that begins again with each process would
    make a known key new. This class gives each claim a position of its own, which no other process has.

    Any thread may call it: it lets one at a time into the store. Times are epoch milliseconds.
    """

    def __init__(self, store: DedupStore) -> None:
        self._store = store
        self._topic = f"without-position-{uuid.uuid4().hex}"
        self._lock = threading.Lock()
        self._count = 0

    def claim(self, key: str, time: int) -> bool:
        """Claim the key; return False if it is claimed already and has not expired: the event is a duplicate.

        Raises what :meth:`DedupStore.claim` raises. After DedupStoreUnavailable the key may be claimed.
        """
        with self._lock:
            position, self._count = self._count, self._count + 1
            return self._store.claim([key], self._topic, 0, [position], time)[0] is None
