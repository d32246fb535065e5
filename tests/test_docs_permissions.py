"""docs/operations/permissions.md against what commands check, and a Redis user who may do exactly that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redis import Redis

from lpa_core.dedup.redis import RedisDedupStore
from lpa_core.dedup.store import DedupStoreError
from lpa_core.kafka.permissions import PERMISSIONS, Permission
from lpa_core.testing.redis_server import RedisServer
from lpa_sinks.sink.grants import GLOBAL_GRANTS, GRANTS

PAGE = (Path(__file__).parents[1] / "docs" / "operations" / "permissions.md").read_text()
(REDIS,) = re.findall(r"^```\n(ACL SETUSER .*)\n```$", PAGE, re.MULTILINE)
COMMANDS = re.findall(r"\+(\S+)", REDIS)


def row(command: str, permission: Permission) -> str:
    name = f"`{permission.setting}`" if permission.setting else "`kafka-cluster`"
    name += " (prefixed)" if permission.prefixed else ""
    operation = permission.operation + (" (optional)" if permission.optional else "")
    return f"| `{command}` | {permission.resource} | {name} | {operation} |"


def test_failure_15_the_documented_acls_are_those_that_are_checked() -> None:
    documented = re.findall(r"^\| `lpa .*\| (?:TOPIC|GROUP|TRANSACTIONAL_ID|CLUSTER) .*$", PAGE, re.MULTILINE)
    assert documented == [row(command, each) for command, needed in PERMISSIONS.items() for each in needed]


def test_failure_15_the_documented_grants_of_the_ingestion_are_those_that_are_checked() -> None:
    (line,) = re.findall(r"^\| `lpa ingest`, with.*$", PAGE, re.MULTILINE)
    assert f"`{', '.join(GRANTS)} ON DATABASE.*`" in line
    assert all(f"`{each} ON *.*`" in line for each in GLOBAL_GRANTS)


def use(server: RedisServer, rule: str) -> None:
    """Claim, find a duplicate, give back and count, as a user of that rule."""
    with Redis.from_url(server.url) as admin:
        admin.execute_command("ACL", "DELUSER", "lpa")
        admin.execute_command(*rule.replace("PASSWORD", "secret").split())
    store = RedisDedupStore(server.url.replace("redis://", "redis://lpa:secret@"), 60_000)
    try:
        assert store.claim(["a"], "events", 0, [1], 1_000) == [None]
        assert store.claim(["a"], "events", 0, [2], 1_001) != [None]
        store.release(["a"], "events", 0, [1])
        assert store.statistics().keys >= 0
        assert store.loss(some=False) == ""
        store.require_kept(some=False)
        assert store.recover([]) == 0
    finally:
        store.close()


def test_failure_15_claims_work_with_the_documented_redis_commands_and_each_that_is_missing_is_named(
    tmp_path: Path,
) -> None:
    assert len(COMMANDS) > 8
    with RedisServer(tmp_path) as server:
        use(server, REDIS)
        use(server, REDIS.replace("+config|get", ""))  # INFO tells, too
        for lacking in COMMANDS:
            if lacking != "config|get":
                with pytest.raises(DedupStoreError, match=rf"(?i)'{lacking}'.*permissions\.md"):
                    use(server, re.sub(rf"\+{lacking}(?= |$)", "", REDIS))
