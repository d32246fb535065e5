"""Which proxy of the environment is in effect, and that this machine is reached without any."""

from __future__ import annotations

import os
import urllib.request

import pytest

from lpa_core.proxies import Proxy, is_loopback, proxy_for, reach_loopback_directly

DEAD = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "db.localhost", "127.0.0.1", "127.9.8.7", "::1", "[::1]", "0:0:0:0:0:0:0:1"]
)
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
def test_failure_21_this_machine_is_reached_without_a_proxy(host: str, variable: str) -> None:
    assert is_loopback(host)
    for scheme in ("http", "https"):
        assert proxy_for(scheme, host, 8123, {variable: DEAD}) is None


@pytest.mark.parametrize("host", ["128.0.0.1", "localhost.example", "::2", "127.example"])
def test_other_machines_are_not_this_one(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({"HTTP_PROXY": DEAD}, "HTTP_PROXY"),
        ({"HTTP_PROXY": "http://other", "http_proxy": DEAD}, "http_proxy"),
        ({"http_proxy": "", "HTTP_PROXY": DEAD}, "HTTP_PROXY"),
        ({"ALL_PROXY": DEAD}, "ALL_PROXY"),
        ({"all_proxy": "http://other", "HTTP_PROXY": DEAD}, "HTTP_PROXY"),
        ({"HTTPS_PROXY": DEAD}, None),
        ({"HTTP_PROXY": DEAD, "NO_PROXY": "other, .example"}, None),
        ({"HTTP_PROXY": DEAD, "no_proxy": "ch.example:8123"}, None),
        ({"HTTP_PROXY": DEAD, "no_proxy": "ch.example:80"}, "HTTP_PROXY"),
        ({"HTTP_PROXY": DEAD, "NO_PROXY": "*"}, None),
        ({"HTTP_PROXY": DEAD, "NO_PROXY": "h.example,xample"}, "HTTP_PROXY"),
    ],
)
def test_failure_21_the_variable_in_effect_is_known(environment: dict[str, str], variable: str | None) -> None:
    found = proxy_for("http", "ch.example", 8123, environment)
    assert found == (None if variable is None else Proxy(variable, DEAD))


def test_failure_21_a_network_may_be_excepted_and_a_login_is_not_shown() -> None:
    environment = {"http_proxy": "me:hunter2@proxy:3128", "no_proxy": "10.0.0.0/8,[fd00::]/8"}
    assert proxy_for("http", "10.1.2.3", 80, environment) is None
    found = proxy_for("http", "11.1.2.3", 80, environment)
    assert str(found) == "http_proxy=http://***@proxy:3128"


def test_failure_21_libraries_that_read_the_environment_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    reach_loopback_directly()
    assert "NO_PROXY" not in os.environ
    monkeypatch.setenv("NO_PROXY", "one.example")
    monkeypatch.setenv("no_proxy", "other.example")
    monkeypatch.setenv("HTTP_PROXY", DEAD)
    reach_loopback_directly()
    reach_loopback_directly()
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"]
    assert os.environ["NO_PROXY"].split(",")[:2] == ["other.example", "one.example"]
    assert os.environ["NO_PROXY"].count("localhost") == 1
    assert all(urllib.request.proxy_bypass_environment(host) for host in ("localhost", "127.0.0.1", "one.example"))
