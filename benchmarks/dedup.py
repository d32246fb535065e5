"""What a claim costs with few and with many keys held, in each dedup store.

All keys held are live, their claim times spread evenly over the TTL. "fill" is the mean over the batches that brought
the keys, with all that RocksDB does aside. The other figures are medians of batches, taken from the two stores in
turn, so that what else the machine does counts for both. "new": no key of the batch is held. "other": every key is
held by another position, any time ago. "own": the last batch again, as after a crash. "most": bytes on disk while
filling. "MiB": the peak memory of this process, or what Redis holds.

    ./dev bench dedup [--keys N] [--few N] [--small N]
"""

from __future__ import annotations

import argparse
import platform
import random
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from statistics import median

import attrs
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.dedup.redis import RedisDedupStore
from lpa_core.dedup.rocksdb import RocksDBDedupStore
from lpa_core.dedup.store import DedupStore
from lpa_core.testing.redis_server import RedisServer

TTL = 86_400_000
NOON = 1_767_870_000_000

console = Console()


@attrs.define
class Filled:
    """A store that holds keys, and what was measured of it."""

    name: str
    store: DedupStore
    memory: Callable[[], int]
    held: int
    fill: float
    most_bytes_per_key: float
    """At any time from the millionth key on: files about to be compacted and their successors included."""
    new: list[float] = attrs.field(factory=list)
    other: list[float] = attrs.field(factory=list)
    own: list[float] = attrs.field(factory=list)
    """Seconds of each batch."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=10_000_000, help="most keys held in RocksDB")
    parser.add_argument("--small", type=int, default=1_000_000, help="most keys held in Redis and in memory")
    parser.add_argument("--few", type=int, default=100_000, help="keys held to compare with")
    parser.add_argument("--batch", type=int, default=20_000, help="keys a claim")
    parser.add_argument("--rounds", type=int, default=10, help="batches measured of each kind")
    arguments = parser.parse_args()
    few, many, small, batch = arguments.few, arguments.keys, arguments.small, arguments.batch
    table = Table(title=f"Claims in batches of {batch:,}: µs per key, bytes on disk per key", box=box.SIMPLE)
    for name in ("store", "keys held", "fill", "new", "other", "own", "disk", "most", "MiB"):
        table.add_column(name, justify="left" if name == "store" else "right", no_wrap=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:

        def rocksdb(held: int) -> Filled:
            return _fill("RocksDB", RocksDBDedupStore(Path(folder) / str(held), TTL), held, batch, _peak_memory)

        def redis(held: int) -> Filled:
            server = servers.enter_context(RedisServer(Path(folder)))
            return _fill("Redis", RedisDedupStore(server.url, TTL), held, batch, server.memory)

        def memory(held: int) -> Filled:
            return _fill("memory", MemoryDedupStore(TTL), held, batch, _peak_memory)

        for make, most in ((rocksdb, many), (redis, small), (memory, small)):
            stores = make(few), make(most)
            for number in range(arguments.rounds):
                for filled in stores:
                    _measure(filled, number, batch)
            _add_rows(table, *stores, batch)
            for filled in stores:
                filled.store.close()
    console.print(table)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("rocksdict", "redis", "hiredis"))
    console.print(f"{platform.machine()}, Python {platform.python_version()}, {libraries}")


def _fill(name: str, store: DedupStore, held: int, batch: int, memory: Callable[[], int]) -> Filled:
    # RocksDB's first generation begins half a TTL before the first key: so it holds half of them, as in a long run.
    store.claim([""], "events", 0, [0], NOON - TTL // 2)
    seconds = most = 0.0
    for start in track(range(0, held, batch), f"{name}, {held:,} keys", console=console, transient=True):
        stop = min(start + batch, held)
        seconds += _seconds(store, list(range(start, stop)), 0, NOON + TTL * start // held)
        if stop >= 1_000_000:
            most = max(most, store.statistics().bytes_on_disk / stop)
    return Filled(name, store, memory, held, seconds * 1e6 / held, most)


def _measure(filled: Filled, number: int, batch: int) -> None:
    now = NOON + TTL
    filled.other.append(_seconds(filled.store, random.Random(number).sample(range(filled.held), batch), 1, now))
    new = list(range(filled.held + number * batch, filled.held + (number + 1) * batch))
    filled.new.append(_seconds(filled.store, new, 0, now))
    filled.own.append(_seconds(filled.store, new, 0, now))


def _seconds(store: DedupStore, numbers: list[int], partition: int, now: int) -> float:
    keys = [_key(number) for number in numbers]
    started = time.perf_counter()
    owners = store.claim(keys, "events", partition, numbers, now)
    seconds = time.perf_counter() - started
    if any((owner is None) != (partition == 0) for owner in owners):
        raise SystemExit("a claim was answered wrongly")
    return seconds


def _key(number: int) -> str:
    """As long as an event's id, which is a UUID."""
    return f"{number:08x}-9d2f-4b8a-8c1e-{number:012x}"


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _add_rows(table: Table, few: Filled, many: Filled, batch: int) -> None:
    costs = []
    for filled in (few, many):
        costs.append([filled.fill, *(median(kind) * 1e6 / batch for kind in (filled.new, filled.other, filled.own))])
        bytes_per_key = filled.store.statistics().bytes_on_disk / (filled.held + batch * len(filled.new))
        most = max(filled.most_bytes_per_key, bytes_per_key)
        disk = (f"{bytes_per_key:.1f}", f"{most:.1f}") if most else ("-", "-")
        table.add_row(
            filled.name, f"{filled.held:,}", *(f"{cost:.2f}" for cost in costs[-1]), *disk, f"{filled.memory() >> 20:,}"
        )
    ratios = [f"x {b / a:.2f}" for a, b in zip(*costs, strict=True)]
    table.add_row(few.name, "many/few", *ratios, style="bold", end_section=True)


if __name__ == "__main__":
    main()
