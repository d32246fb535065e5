from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.sinks.sink import SinkMisconfigured
from lpa_sinks.clickhouse.client import Endpoint, endpoint


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("chdb:///abs/path", Endpoint("db", path=Path("/abs/path"))),
        ("chdb://relative/path", Endpoint("db", path=Path("relative/path"))),
        ("chdb://./with space and %20", Endpoint("db", path=Path("with space and %20"))),
        ("chdb://~/there", Endpoint("db", path=Path.home() / "there")),
        ("clickhouse://host", Endpoint("db", url="http://host:8123", user="me")),
        ("clickhouse://you@host:9000/other", Endpoint("other", url="http://host:9000", user="you")),
        ("clickhouse://y%40u@[::1]:9000/other/", Endpoint("other", url="http://[::1]:9000", user="y@u")),
        ("http://clickhouse:8123", Endpoint("db", url="http://clickhouse:8123", user="me")),
        ("https://host", Endpoint("db", url="https://host:8443", user="me")),
        ("https://host:443/other", Endpoint("other", url="https://host:443", user="me")),
    ],
)
def test_what_a_uri_names(uri: str, expected: Endpoint) -> None:
    assert endpoint(uri, database="db", user="me") == expected


@pytest.mark.parametrize(
    "uri",
    ["chdb://", "clickhouse://", "ftp://host", "host:8123", "http://host:port", "http://[::1", "chdb://a?b=c", ""],
)
def test_what_names_nothing(uri: str) -> None:
    with pytest.raises(SinkMisconfigured) as refusal:
        endpoint(uri, database="db", user="me")
    assert str(refusal.value).startswith(f"{uri or 'an empty URI'}: ")
    assert "\n" not in str(refusal.value)


def test_a_password_in_a_uri_is_refused_and_not_repeated() -> None:
    with pytest.raises(SinkMisconfigured, match="CLICKHOUSE_PASSWORD") as refusal:
        endpoint("clickhouse://me:hunter2@host:8123/db", database="db", user="me")
    assert "hunter2" not in str(refusal.value)
