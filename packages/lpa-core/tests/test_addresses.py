"""Addresses, paths and names: each is accepted everywhere or refused everywhere, in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from lpa_core.cli import run
from lpa_core.dedup.redis import RedisDedupStore
from lpa_core.dedup.store import DedupStoreError
from lpa_core.errors import LpaError
from lpa_core.settings.loading import SettingsError, load
from lpa_core.uris import (
    AddressRefused,
    database_of,
    host_and_port,
    hosts_and_ports,
    kafka_source,
    local_path,
    masked,
    require_address,
    server_address,
    without_secrets,
)

NOBODY = "~no-such-user-here"
IGNORED = "nothing reads what is behind ? or #: leave it out"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.ndjson").write_bytes(b"")
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("kafka:9092", "kafka", 9092),
        ("a-host.example", "a-host.example", None),
        ("10.0.0.1:0", "10.0.0.1", 0),
        ("[::1]:8081", "::1", 8081),
        ("[fe80::1%eth0]", "fe80::1%eth0", None),
    ],
)
def test_failure_22_a_host_and_a_port_are_read_in_one_way(text: str, host: str, port: int | None) -> None:
    found = host_and_port(text)
    assert found == (host, port)
    assert str(found) == text


@pytest.mark.parametrize(
    "text", ["", ":9092", "::1:9092", "::1", "h:", "h:x", "h:70000", "h:-1", "a b:1", "u@h:1", "h:1/x", "h:1\n", "[::1"]
)
def test_failure_22_what_is_not_a_host_and_a_port_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        host_and_port(text)


@pytest.mark.parametrize("setting", ["LPA_ADMIN_ADDRESS", "QUALITY_KAFKA_BOOTSTRAP", "REPLAY_KAFKA_BOOTSTRAP"])
@pytest.mark.parametrize(("given", "taken"), [("[::1]:9092", True), ("::1:9092", False), ("h:9x", False)])
def test_failure_22_every_setting_of_a_host_takes_the_same(setting: str, given: str, taken: bool) -> None:
    if taken:
        load({setting: given})
        return
    with pytest.raises(SettingsError) as refused:
        load({setting: given})
    assert str(refused.value).startswith(f"{setting}='{given}': expected host:port")
    assert ("an IPv6 address stands in brackets" in str(refused.value)) is given.startswith("::")


def test_failure_22_brokers_are_listed_with_spaces_and_protocols() -> None:
    assert load({"QUALITY_KAFKA_BOOTSTRAP": "a:1, SASL_SSL://[::1]:2 ,"}).quality.kafka_bootstrap == (
        "a:1,SASL_SSL://[::1]:2"
    )
    assert [*map(str, hosts_and_ports("a:1, SASL_SSL://[::1]:2"))] == ["a:1", "[::1]:2"]


def test_failure_22_a_source_in_kafka_may_be_at_an_ipv6_address() -> None:
    assert kafka_source("kafka://[::1]:9092,b:1/topic") == ("[::1]:9092,b:1", "topic")
    assert kafka_source("kafka://") == ("", "")


def test_failure_22_an_ipv6_server_is_one_address_wherever_it_is_named() -> None:
    place = server_address("clickhouse://me@[::1]:8123/d").place
    assert str(place) == "[::1]:8123"
    named = without_secrets("clickhouse://me@[::1]:8123/d")
    assert named == "clickhouse:[::1]:8123/d"
    assert database_of(named, "d") == database_of("clickhouse:[::1]:", "d") == ("server", "::1", "8123", "d")


COMMANDS = [
    ("ingest a.ndjson --sink {}", ("clickhouse://h:1/d{}", "http://h:1{}")),
    ("ingest a.ndjson --archive {}", ("s3://bucket/raw{}",)),
    ("ingest {}", ("kafka://h:1/t{}",)),
    ("schema plan --sink {}", ("clickhouse://h:1/d{}",)),
    ("backup list --location {}", ("s3://bucket/backups{}",)),
    ("savepoint list --location {}", ("gs://bucket/savepoints{}",)),
    ("triage --sink {}", ("https://h{}",)),
]


@pytest.mark.parametrize(("command", "address"), [(command, one) for command, some in COMMANDS for one in some])
def test_failure_22_a_query_is_refused_everywhere_with_the_option(
    command: str, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command.format(address.format("?secret=hunter2")).split()) == 2
    said = capsys.readouterr().err
    option = next((word for word in command.split() if word.startswith("--")), "SOURCE")
    assert said.startswith(f"lpa: {option} ")
    assert IGNORED in said or "holds more than a bucket and a path" in said
    assert "hunter2" not in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        "ingest {}/a.ndjson",
        "ingest a.ndjson --sink chdb://{}/d",
        "ingest a.ndjson --dedup rocksdb://{}/d",
        "ingest a.ndjson --archive {}/d",
        "ingest a.ndjson --archive file://{}/d",
        "backup list --location {}/d",
        "backup verify {}/d",
        "savepoint list --location {}/d",
        "recover lost-claims --dedup rocksdb://{}",
        "replay plan --from {}/d",
        "archive mirror b --archive {}/a",
    ],
)
def test_failure_22_a_user_whom_nobody_knows_is_named(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command.format(NOBODY).split()) == 2
    said = capsys.readouterr().err
    assert f"this machine knows no user {NOBODY}: write the path" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("variable", ["LPA_DATA_DIR", "LPA_ARCHIVE_DIR", "LPA_MIRROR_DIR", "LPA_BACKUP_DIR"])
@pytest.mark.parametrize(
    ("value", "why"), [(f"{NOBODY}/d", f"no user {NOBODY}"), ("a\nb", "holds a control character")]
)
def test_failure_22_a_folder_in_the_settings_is_read_in_the_same_way(variable: str, value: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as refused:
        load({variable: value})
    assert str(refused.value).startswith(f"{variable}=")


def test_failure_22_the_name_of_the_working_folder_is_no_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "two\nlines"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert load({}).lpa.data_dir == folder / "lpa-data"
    assert run(["triage"]) == 2
    said = capsys.readouterr().err
    assert r"two\nlines/lpa-data/clickhouse': holds a control character" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["schema", "apply", "--sink", "chdb://\udcff"],
        ["schema", "apply", "--sink", "clickhouse://\udcff@127.0.0.1:9/d"],
        ["ingest", "a.ndjson", "--dedup", "rocksdb://\udcff"],
        ["ingest", "kafka://127.0.0.1:9/\udcff"],
        ["ingest", "kafka://\udcff:9/topic"],
        ["ingest", "a.ndjson", "--archive", "s3://bucket/\udcff"],
        ["triage", "--type", "\udcff"],
        ["tap", "--where", "data.a=b", "--where", "data.a=\udcff"],
        ["replay", "plan", "--all", "--type", "\udcff"],
        ["replay", "plan", "--all", "--where", "topic = '\udcff'"],
        ["query", "SELECT '\udcff'"],
        ["trace", "\udcff"],
        ["erase", "plan", "--path", "data.a", "--value", "\udcff"],
    ],
)
def test_bytes_that_are_not_utf8_are_refused_on_the_command_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert "not UTF-8" in said
    assert said.count("\n") == 1
    assert "LPA_LOG_LEVEL" not in said


@pytest.mark.parametrize(
    "variable", ["CLICKHOUSE_PASSWORD", "CLICKHOUSE_USER", "QUALITY_MASK_KEY", "LPA_FLINK_JOB_NAME"]
)
def test_a_setting_is_utf8(variable: str) -> None:
    with pytest.raises(SettingsError, match="it has bytes that are not UTF-8: write it again"):
        load({variable: "sixteen characters\udcff"})


def test_an_embedded_database_cannot_be_in_a_folder_whose_name_is_not_utf8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "\udcff"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("a.ndjson").write_bytes(b"{}\n")
    for command in ("triage", "schema apply", "ingest a.ndjson"):
        assert run(command.split()) == 2
        said = capsys.readouterr().err
        assert "a folder in this path has a name that is not UTF-8: choose another folder" in said
        assert said.count("\n") == 1
    # The folder of a file, an archive or a backup may have any name.
    load({"LPA_BACKUP_DIR": str(folder), "LPA_ARCHIVE_DIR": str(folder)})
    assert run(["backup", "verify", str(folder)]) == 1
    assert "is not a whole backup" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["my-db", "1st", "a.b", "a/b", "d%60b", "tëst"])
def test_failure_22_a_database_is_named_alike_in_settings_and_uris(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = "expected letters, digits and underscores, no digit first"
    for command in ("schema apply", "triage", "check parity", "ingest a.ndjson", "backup create", "replay list"):
        assert run([*command.split(), "--sink", f"clickhouse://127.0.0.1:9/{name}"]) == 2
        said = capsys.readouterr().err
        assert said.startswith("lpa: --sink ")
        assert expected in said
    with pytest.raises(SettingsError, match=expected):
        load({"CLICKHOUSE_DATABASE": name})
    with pytest.raises(SettingsError, match=expected):
        load({"CLICKHOUSE_URL": f"http://h/{name}"})


@pytest.mark.parametrize(
    "url", ["redis://h/x", "redis://h?no_such_option=1", "rediss://h/1/2", "redis://h:1x/0", "redis://h/0/"]
)
def test_failure_22_what_redis_would_pass_over_is_refused(url: str) -> None:
    with pytest.raises(DedupStoreError, match="the Redis URL cannot be read"):
        RedisDedupStore(url, 1_000)
    for right in ("redis://[::1]:6379/0", "redis://h", "rediss://h/2?socket_timeout=3", "unix:///run/redis.sock"):
        closing(RedisDedupStore(right, 1_000)).thing.close()


@pytest.mark.parametrize("uri", ["chdb://", "memory://x", "file://", "clickhouse://h:0", "clickhouse://h:1#x", "a\r\n"])
def test_failure_22_an_address_that_names_nothing_is_refused(uri: str) -> None:
    with pytest.raises(LpaError):
        require_address(uri)


@pytest.mark.parametrize(
    "uri", ["clickhouse://", "clickhouse://h", "-", "a b?c", "kafka://", "memory://", "mine://h?x=1"]
)
def test_an_address_that_means_something_is_taken(uri: str) -> None:
    require_address(uri)


def test_a_path_is_taken_literally() -> None:
    assert local_path("file:///a%20b?c#d") == Path("/a%20b?c#d")
    assert local_path("~/x") == Path.home() / "x"


@pytest.mark.parametrize("setting", ["QUALITY_KAFKA_BOOTSTRAP", "LPA_ADMIN_ADDRESS", "CLICKHOUSE_DATABASE"])
def test_failure_22_a_login_before_a_host_is_not_shown(setting: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({setting: "me:hun@ter2@broker:9092"})
    assert str(refused.value).startswith(f"{setting}='***@broker:9092': expected ")


def test_failure_22_no_query_is_shown() -> None:
    assert masked("lpa --sink http://h/d?password=hunter2 'x'") == "lpa --sink http://h/d?*** 'x'"
