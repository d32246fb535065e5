"""``lpa doctor`` on the dedup store."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from doctor.answers import NOWHERE, Doctor, text
from lpa_core.testing.redis_server import RedisServer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (folder := tmp_path / "redis").mkdir()
    return folder


def test_failure_31_a_redis_that_can_keep_claims_is_not_changed(doctor: Doctor, folder: Path) -> None:
    with RedisServer(folder, "--appendonly", "yes") as server:
        found = doctor("--dedup", server.url, status=0)
        assert "can keep claims" in text(found, "dedup_store")
        assert redis_keys(server) == []


def redis_keys(server: RedisServer) -> list[bytes]:
    from redis import Redis

    with Redis(port=server.port) as client:
        return [*client.scan_iter()]


def test_failure_31_a_redis_that_cannot_keep_claims_is_told(doctor: Doctor, folder: Path) -> None:
    with RedisServer(folder, "--maxmemory-policy", "allkeys-lru") as server:
        assert "| set maxmemory-policy noeviction" in text(doctor("--dedup", server.url), "dedup_store")
    with RedisServer(folder, "--requirepass", "right") as server:
        url = server.url.replace("redis://", "redis://:wrong@")
        said = text(doctor("--dedup", url), "dedup_store")
        assert "check user and password" in said
        assert "wrong" not in said.replace("(invalid username-password pair or user is disabled.)", "")
    with RedisServer(folder, "--maxmemory", "8mb", "--maxmemory-policy", "noeviction") as server:
        fill(server)
        assert "raise its maxmemory" in text(doctor("--dedup", server.url), "dedup_store")
    assert "check its address" in text(doctor("--dedup", f"redis://{NOWHERE}/0"), "dedup_store")
    assert "write redis://" in text(doctor("--dedup", "redis://h:port/0"), "dedup_store")


def fill(server: RedisServer) -> None:
    from redis import Redis
    from redis.exceptions import OutOfMemoryError

    with Redis(port=server.port) as client, suppress(OutOfMemoryError):
        for number in range(1000):
            client.set(f"other:{number}", "x" * 10_000)


@pytest.mark.parametrize("lacking", ["set", "hincrby", "scan"])
def test_failure_31_a_redis_login_that_lacks_a_command_is_told_though_none_is_run(
    lacking: str, doctor: Doctor, folder: Path
) -> None:
    from redis import Redis

    with RedisServer(folder) as server:
        with Redis(port=server.port) as client:
            client.execute_command("ACL", "SETUSER", "me", "on", ">pass", "~lpa:claim*", "+@all", f"-{lacking}")
        found = doctor("--dedup", server.url.replace("redis://", "redis://me:pass@"))
        said = text(found, "dedup_store")
        assert "this login lacks" in said
        assert lacking in said.lower()
        assert redis_keys(server) == []


def test_failure_31_a_replica_that_takes_no_claims_is_told(doctor: Doctor, folder: Path) -> None:
    with RedisServer(folder, "--replicaof", "127.0.0.1", "1") as server:
        assert "is a read-only replica | name the primary" in text(doctor("--dedup", server.url), "dedup_store")


def test_failure_31_damaged_claims_are_told(doctor: Doctor) -> None:
    damaged = Path("lpa-data/dedup/events-0")
    damaged.mkdir(parents=True)
    (damaged / "DAMAGED").write_text("x")
    assert "the dedup claims are damaged" in text(doctor(), "dedup_store")
