"""Duplicates among events without a position, over restarts and among threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from lpa_core.dedup.key_claims import KeyClaims
from lpa_core.dedup.memory import MemoryDedupStore

TTL = 1_000


def test_failure_30_a_known_key_stays_known_to_a_process_that_counts_from_the_start_again() -> None:
    store = MemoryDedupStore(TTL)
    assert [KeyClaims(store).claim("a", 0) for _ in range(3)] == [True, False, False]
    claims = KeyClaims(store)
    assert [claims.claim(key, 1) for key in ("b", "a", "b", "b", "c")] == [True, False, False, False, True]
    assert claims.claim("a", TTL + 1), "it has expired"


def test_of_many_threads_one_claims_a_key() -> None:
    claims = KeyClaims(MemoryDedupStore(TTL))
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: claims.claim(str(number % 50), 0), range(2_000)))
    assert sum(found) == 50
