"""Damaged claims are told as damage, and nothing else is: missing rights, too few open files, a full disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from lpa_core.dedup.rocksdb import RocksDBDedupStore
from lpa_core.dedup.rocksdb_files import require_readable
from lpa_core.dedup.store import DamagedClaimsError, DedupStoreError, DedupStoreUnavailable
from lpa_core.testing.claim_damage import DAMAGE, closed_store
from lpa_core.testing.dedup_suite import NOON, TTL

KEYS = 3_000
_NOBODY = 65_534


@pytest.fixture
def path() -> Iterator[Path]:
    """Where another user gets to, too."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder / "claims"
    shutil.rmtree(folder)


def opened(path: Path) -> RocksDBDedupStore:
    return RocksDBDedupStore(path, TTL)


@pytest.mark.parametrize("name", DAMAGE)
def test_failure_14_damage_is_told_as_damage_each_time(path: Path, name: str) -> None:
    closed_store(path, TTL, NOON, KEYS)
    DAMAGE[name](path)
    for look in (opened, require_readable, opened):
        with pytest.raises(DamagedClaimsError, match=r"the dedup claims are damaged \(.*\); restore a backup") as told:
            look(path)
        assert "\n" not in str(told.value)
        assert "user can write" not in str(told.value)


def test_failure_14_damage_that_shows_while_in_use_is_not_forgotten(path: Path) -> None:
    """RocksDB opens a store of which some block cannot be read, each time."""
    closed_store(path, TTL, NOON, KEYS)
    table = max(path.glob("*.sst"), key=lambda file: file.stat().st_size)
    content = bytearray(table.read_bytes())
    content[:15_000] = bytes(byte ^ 0x55 for byte in content[:15_000])
    store = opened(path)
    table.write_bytes(content)
    keys = [f"k{number}" for number in range(KEYS)]
    with pytest.raises(DamagedClaimsError, match="checksum mismatch"):
        store.claim(keys, "events", 1, range(KEYS), NOON)
    store.close()
    for look in (opened, require_readable):
        with pytest.raises(DamagedClaimsError, match="checksum mismatch"):
            look(path)


def test_failure_14_a_folder_that_is_removed_while_in_use_is_noticed(path: Path) -> None:
    store = opened(path)
    store.claim(["a"], "events", 0, [0], NOON)
    shutil.rmtree(path)
    with pytest.raises(DamagedClaimsError, match="CURRENT was removed"):
        store.statistics()
    store.close()


@pytest.mark.parametrize(
    ("name", "spoil", "claims"),
    [
        ("cut at the end", lambda log: log[:-100], "most"),
        ("zeros behind", lambda log: log + bytes(3000), "all"),
        ("garbled in the middle", lambda log: log[:9000] + bytes(50) + log[9050:], "damaged"),
        ("garbled at the start", lambda log: b"\x55" * 50 + log[50:], "damaged"),
    ],
)
def test_failure_14_a_log_that_was_cut_by_a_crash_is_no_damage_and_a_garbled_one_is(
    path: Path, name: str, spoil: Callable[[bytes], bytes], claims: str
) -> None:
    killed = _child(
        """
        for batch in range(10):
            store.claim([f"{batch} {n}" for n in range(200)], "events", 0, range(200), 1_767_870_000_000)
        os._exit(0)
        """,
        path,
    )
    assert killed == ""
    log = max(path.glob("[0-9]*.log"), key=lambda file: file.stat().st_size)
    log.write_bytes(spoil(log.read_bytes()))
    if claims == "damaged":
        with pytest.raises(DamagedClaimsError):
            opened(path)
        return
    store = opened(path)
    owners = store.claim([f"{b} {n}" for b in range(10) for n in range(200)], "events", 1, range(2000), NOON)
    store.close()
    assert sum(owner is not None for owner in owners) == (2000 if claims == "all" else 1800)


def test_failure_14_a_lost_log_is_fewer_changes(path: Path) -> None:
    """Opening tells nothing of it."""
    told = _child(
        """
        store.claim([str(n) for n in range(200)], "events", 0, range(200), 1_767_870_000_000)
        print(store.changes(), flush=True)
        os._exit(0)
        """,
        path,
    )
    for _ in range(2):
        store = opened(path)
        assert store.changes() >= int(told) > 200
        store.close()
    shutil.rmtree(path)
    again = _child(
        """
        store.claim([str(n) for n in range(200)], "events", 0, range(200), 1_767_870_000_000)
        os._exit(0)
        """,
        path,
    )
    assert again == ""
    for log in path.glob("[0-9]*.log"):
        log.unlink()
    store = opened(path)
    assert store.changes() < int(told)
    store.close()


@pytest.mark.parametrize("name", ["the folder", "MANIFEST", "CURRENT", "a table file", "a folder that is read-only"])
def test_failure_14_missing_rights_are_told_as_missing_rights(path: Path, name: str) -> None:
    """By a process without the rights of root."""
    closed_store(path, TTL, NOON, 200)
    own = os.getuid() != 0
    for file in (path, *path.iterdir()):
        if not own:
            os.chown(file, _NOBODY, _NOBODY)
    kept = {
        "the folder": path,
        "MANIFEST": next(path.glob("MANIFEST-*")),
        "CURRENT": path / "CURRENT",
        "a table file": next(path.glob("*.sst")),
    }.get(name)
    if kept is None:
        path.chmod(0o500)
    else:
        if not own:
            os.chown(kept, 0, 0)
        kept.chmod(0o000 if own else 0o600)
    told = _child("", path, as_nobody=not own)
    path.chmod(0o700)
    assert told.startswith(f"DedupStoreError {path}: cannot keep dedup claims there (")
    assert "ermission denied" in told
    assert told.endswith("give this user the right to read and write it, or name another folder\n")


@pytest.mark.parametrize("more", [0, 2, 4, 6])
def test_failure_14_too_few_open_files_are_told_as_that(path: Path, more: int) -> None:
    closed_store(path, TTL, NOON, KEYS)
    told = _child("", path, files=more)
    if more == 0:
        assert told.startswith(f"DedupStoreUnavailable {path}: dedup claims cannot be kept now (")
    if told:
        assert "Too many open files" in told
        assert "raise its limit: `ulimit -n`" in told
        assert "damaged" not in told
    opened(path).close()


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        (
            "IO error: While open a file for appending: P/1.log: Read-only file system",
            DedupStoreError,
            "mount the file",
        ),
        ("IO error: While appending to file: P/1.log: No space left on device", DedupStoreUnavailable, "make room"),
        ("IO error: While appending to file: P/1.log: Disk quota exceeded", DedupStoreUnavailable, "quota raised"),
        ("IO error: While pread offset 0 len 1: P/1.sst: Input/output error", DedupStoreUnavailable, "the disk fails"),
        (
            "Corruption: IO error: While open: P/1.sst: Too many open files  The file may be corrupted.",
            DedupStoreUnavailable,
            "ulimit -n",
        ),
        ("Corruption: block checksum mismatch\n in P/1.sst", DamagedClaimsError, "restore a backup"),
    ],
)
def test_failure_14_what_rocksdb_says_is_told_with_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch, said: str, kind: type[Exception], told: str
) -> None:
    def refuse(*arguments: object) -> None:
        raise Exception(said.replace("P", str(path)))  # rocksdict raises nothing more special

    monkeypatch.setattr("lpa_core.dedup.rocksdb_files.Rdict", refuse)
    with pytest.raises(kind, match=told) as failure:
        opened(path)
    assert type(failure.value) is kind
    assert "\n" not in str(failure.value)


def _child(body: str, path: Path, *, as_nobody: bool = False, files: int | None = None) -> str:
    """What a process of its own prints; what its store raises among that."""
    code = f"""
    import os, resource, sys, structlog
    from pathlib import Path
    from lpa_core.dedup.rocksdb import RocksDBDedupStore
    if {as_nobody}:
        os.setgid({_NOBODY})
        os.setuid({_NOBODY})
    if {files is not None}:
        limit = len(os.listdir("/proc/self/fd")) + {files or 0}
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    try:
        store = RocksDBDedupStore(Path(sys.argv[1]), {TTL})
    except Exception as error:
        print(type(error).__name__, error)
        os._exit(0 if sys.stdout.flush() is None else 1)
    """
    script = dedent(code) + dedent(body)
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout
