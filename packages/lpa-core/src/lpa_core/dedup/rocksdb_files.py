"""The files of a RocksDB dedup store: claims in generations, and the sources that they name."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, cast, final

import attrs
from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    Checkpoint,
    ColumnFamily,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    WriteBatch,
    WriteOptions,
)

from lpa_core.dedup.store import DamagedClaimsError, DedupStoreError, DedupStoreUnavailable
from lpa_core.records import Position
from lpa_core.system_errors import PASSING, advice, number_in

MIB = 1024 * 1024
BLOCK_CACHE_BYTES = 64 * MIB
"""For all stores of the process together; holds filters and indexes too, so memory does not grow with keys."""
WRITE_BUFFER_BYTES = 16 * MIB
"""Of new claims in memory before they are written out; there are at most two in a generation."""
TABLE_FILE_BYTES = 8 * MIB
"""Small, so that the filter of a file fits into a part of the block cache and is read once, not for every lookup."""
LOG_BYTES = 32 * MIB
"""Of write-ahead log; what is older is written out."""
FILTER_BITS = 10
"""Per key; one lookup of a new key in a hundred has to read a block (RocksDB wiki, Bloom filter)."""

SHORTEST_GENERATION_MS = 60_000
"""With a TTL below this a generation still lasts as long: making and dropping one costs some disk syncs."""

DAMAGED: Final = "DAMAGED"
"""A file that says what was found damaged while the others were in use."""

_GENERATION = "claims-"
_SOURCE = struct.Struct(">I")
_PARTITION = struct.Struct(">i")


@final
@attrs.frozen(slots=True)
class Generation:
    """The claims made from ``start`` (epoch ms) until the next generation begins: one column family."""

    start: int
    family: Rdict
    handle: ColumnFamily


@final
class ClaimFiles:
    """An open RocksDB in which claims expire by whole generations.

    A generation is dropped once the youngest claim that it can hold has expired, which costs
    the same no matter how many claims go. There are two at a time, except after a change of the TTL.

    Sources (topic and partition) are numbered, in the default column family, from 0 on.

    Methods raise DedupStoreUnavailable if the disk refuses. RocksDB takes no more writes
    after that: close these files and open them again. They raise DamagedClaimsError if a file turns out to be
    damaged. RocksDB may open it all the same the next time; these files do not.
    """

    def __init__(self, path: Path, ttl_ms: int) -> None:
        """Open, and make if nothing is yet. Raises DedupStoreError; DedupStoreUnavailable where the disk is full."""
        self._path = path
        self._ttl = ttl_ms
        self._write_options = WriteOptions()
        self._write_options.sync = True
        try:
            names = _existing_generations(path)
            families = {name: _options() for name in ("default", *names)}
            self._db = Rdict(str(path), _options(), families)
        except DedupStoreError:
            raise
        except Exception as error:
            raise _cannot_open(path, error) from error
        self.generations = [self._generation(name) for name in names]
        self._sources: list[tuple[str, int]] = [
            (value[_PARTITION.size :].decode(), _PARTITION.unpack_from(value)[0]) for value in self._db.values()
        ]
        self._numbers = {source: number for number, source in enumerate(self._sources)}

    def begin(self, batch_time: int) -> Generation:
        """Drop what has expired at ``batch_time`` and give the generation that its claims belong to."""
        generations = self.generations
        with self._disk():
            if not generations or batch_time - generations[-1].start >= max(self._ttl, SHORTEST_GENERATION_MS):
                name = f"{_GENERATION}{batch_time}"
                self._db.create_column_family(name, _options())
                generations.append(self._generation(name))
            while len(generations) > 1 and batch_time - generations[1].start >= self._ttl:
                self._db.drop_column_family(f"{_GENERATION}{generations.pop(0).start}")
        for generation in reversed(generations):
            if generation.start <= batch_time:
                return generation
        return generations[0]

    def find(self, generation: Generation, digests: list[bytes]) -> list[bytes | None]:
        """The values of the generation's claims, None if it has none."""
        with self._disk():
            # A list for a list, which its types do not say.
            return cast(list[bytes | None], generation.family.get(cast(list[Any], digests)))

    def source_number(self, topic: str, partition: int) -> int:
        """The number that stands for a source in claims. A new source gets one, which is on disk before any claim."""
        number = self._numbers.get((topic, partition))
        if number is None:
            number = len(self._sources)
            with self._disk():
                self._db.put(_SOURCE.pack(number), _PARTITION.pack(partition) + topic.encode(), self._write_options)
            self._sources.append((topic, partition))
            self._numbers[topic, partition] = number
        return number

    def position(self, source_number: int, offset: int) -> Position:
        topic, partition = self._sources[source_number]
        return Position(topic, partition, offset)

    def write(self, batch: WriteBatch) -> None:
        """Write all of the batch or nothing; after return it has been synced to disk."""
        with self._disk():
            self._db.write(batch, self._write_options)

    def checkpoint(self, target: Path) -> None:
        with self._disk():
            Checkpoint(self._db).create_checkpoint(str(target))

    def count(self) -> int:
        """RocksDB's estimate of the claims held, expired ones included."""
        return sum(
            generation.family.property_int_value("rocksdb.estimate-num-keys") or 0 for generation in self.generations
        )

    def changes(self) -> int:
        """How many there ever were; those that were lost with a file do not count."""
        return self._db.latest_sequence_number()

    def require_folder(self) -> None:
        """Raise DamagedClaimsError if somebody has removed the files, which an open database does not notice."""
        if not (self._path / "CURRENT").exists():
            raise _damaged(self._path, "CURRENT was removed")

    def close(self) -> None:
        """Flush and free the lock. Raises DedupStoreUnavailable if the flush fails; the lock is free all the same.

        The lock stays for as long as anybody keeps a Generation or a WriteBatch made for one.
        """
        db = self._db
        self.generations.clear()
        del self._db
        with self._disk():
            db.close()

    def _generation(self, name: str) -> Generation:
        start = int(name.removeprefix(_GENERATION))
        return Generation(start, self._db.get_column_family(name), self._db.get_column_family_handle(name))

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if type(error) is not Exception:  # rocksdict raises nothing more special
                raise
            raise self._noted(error) from error

    def _noted(self, error: Exception) -> DedupStoreError | DedupStoreUnavailable:
        """The failure; damage is written down. No variable where it is raised: it would keep the files' lock."""
        failure = _failure(self._path, error)
        if isinstance(failure, DamagedClaimsError):
            with suppress(OSError):
                (self._path / DAMAGED).write_text(_one_line(error))
        return failure


def are_there(path: Path) -> bool:
    """Whether a folder holds a store, or what is left of one. Raises OSError."""
    return (path / "CURRENT").exists() or next(_files(path), None) is not None


def _files(path: Path) -> Iterator[Path]:
    return chain(path.glob("*.sst"), path.glob("[0-9]*.log"), path.glob("MANIFEST-*"))


def require_readable(path: Path) -> None:
    """Open the files of a store and close them again, even if another process has them open. Change nothing.

    Raises DedupStoreError, DedupStoreUnavailable.
    """
    try:
        families = {name: _options() for name in ("default", *_existing_generations(path))}
        Rdict(str(path), _options(), families, AccessType.read_only()).close()
    except DedupStoreError:
        raise
    except Exception as error:
        raise _cannot_open(path, error) from error


@cache
def _block_cache() -> Cache:
    return Cache(BLOCK_CACHE_BYTES)


def _options() -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(_block_cache())
    table.set_bloom_filter(FILTER_BITS, False)
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    table.set_format_version(5)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(2)
    options.set_memtable_whole_key_filtering(True)
    options.set_memtable_prefix_bloom_ratio(0.05)
    options.set_target_file_size_base(TABLE_FILE_BYTES)
    options.set_level_compaction_dynamic_level_bytes(True)
    # A generation that is no longer written to would otherwise keep the log of all that came after it.
    options.set_max_total_wal_size(LOG_BYTES)
    options.set_max_background_jobs(2)
    options.set_max_open_files(256)
    options.set_keep_log_file_num(2)
    # A write that was cut off at the end had not returned; damage before it takes claims that had.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    return options


def _existing_generations(path: Path) -> list[str]:
    """Names of the generations in a folder, oldest first; none if no database is."""
    with suppress(OSError):
        raise _damaged(path, (path / DAMAGED).read_text(errors="replace"))
    if not (path / "CURRENT").exists():
        left = next(_files(path), None)
        if left is not None:  # RocksDB would begin again, and forget every claim
            raise _damaged(path, f"{left.name} is there, and CURRENT is not")
        return []
    names = [name for name in Rdict.list_cf(str(path)) if name != "default"]
    if not all(name.removeprefix(_GENERATION).isdigit() for name in names):
        raise DedupStoreError(f"{path}: holds a RocksDB database of something else; name another folder")
    return sorted(names, key=lambda name: int(name.removeprefix(_GENERATION)))


def _cannot_open(path: Path, error: Exception) -> DedupStoreError | DedupStoreUnavailable:
    problem = _one_line(error)
    if "While lock file" in problem or "lock hold by current process" in problem:
        return DedupStoreError(
            f"{path}: another process or store holds these dedup claims; stop it or name another folder"
        )
    number = number_in(problem)
    if number is not None and number not in PASSING:
        return DedupStoreError(f"{path}: cannot keep dedup claims there ({problem}): {advice(number)}")
    if number is not None or _is_damage(path, problem):
        return _failure(path, error)
    return DedupStoreError(
        f"{path}: cannot keep dedup claims there ({problem}); name a folder that this user can write to"
    )


def _failure(path: Path, error: Exception) -> DedupStoreError | DedupStoreUnavailable:
    problem = _one_line(error)
    number = number_in(problem)
    if number is not None:  # RocksDB calls a file that it cannot open corrupted, whatever the reason
        return DedupStoreUnavailable(f"{path}: dedup claims cannot be kept now ({problem}): {advice(number)}")
    if _is_damage(path, problem):
        return _damaged(path, problem)
    return DedupStoreUnavailable(f"{path}: the disk refuses dedup claims ({problem}); is it full?")


def _is_damage(path: Path, problem: str) -> bool:
    if problem.startswith("Corruption"):
        return True
    file = re.escape(str(path)) + r"/[\w.-]+"
    return re.search(rf"{file}: (No such file or directory|Is a directory|Not a directory)", problem) is not None


def _damaged(path: Path, why: object) -> DamagedClaimsError:
    return DamagedClaimsError(
        f"{path}: the dedup claims are damaged ({why}); restore a backup or a savepoint. Or remove the claims: "
        "then records of files that are sent again within the TTL are stored again"
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
