"""Redis servers of its own for the tests of its dedup store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("lpa_core.testing.dedup_suite")

from lpa_core.testing.redis_server import RedisServer  # noqa: E402  # the rewrite has to be asked for first


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Shared by all tests: each uses keys of its own."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server
