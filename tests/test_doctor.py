"""``lpa doctor``: each check fails on its damage and says what to do, and nothing is changed."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from services.clickhouse import ClickHouseServer

from lpa_core.cli import run
from lpa_core.delivery.checkpoint import StoredCheckpoint, encode
from lpa_core.delivery.ranges import Progress
from lpa_core.settings.loading import described
from lpa_core.testing.ports import free_port
from lpa_core.testing.redis_server import RedisServer
from lpa_sinks.testing.http_front import Fault

LPA: Final = Path(sys.executable).with_name("lpa")
NOWHERE: Final = "127.0.0.1:1"
Found = Mapping[str, Mapping[str, Any]]
Doctor = Callable[..., Found]


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    prefixes = ("LPA_", *{f"{setting.variable.partition('_')[0]}_" for setting in described()})
    for name in [*os.environ]:
        if name.startswith(prefixes) or name.lower().endswith("_proxy") or name == "TZ":
            monkeypatch.delenv(name)
    monkeypatch.setenv("LPA_ADMIN_ADDRESS", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("LPA_LOG_LEVEL", "error")
    monkeypatch.setenv("HEALTH_DISK_FREE_SHARE", "0,0")


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    def found(*arguments: str, status: int = 1) -> Found:
        before = tree(Path())
        capsys.readouterr()
        assert run(["doctor", *arguments, "--json"]) == status, capsys.readouterr()
        checks = json.loads(capsys.readouterr().out)["checks"]
        assert tree(Path()) == before, "doctor changed something"
        for each in checks:
            assert each["action"] or each["state"] not in ("failed", "warning"), each
        return {f"{each['name']} {each['subject']}".strip(): each for each in checks}

    return found


def tree(folder: Path) -> list[tuple[str, float, int]]:
    return sorted(
        (str(path), path.stat().st_mtime, path.stat().st_size if path.is_file() else 0) for path in folder.rglob("*")
    )


def failed(found: Found) -> list[str]:
    return [name for name, each in found.items() if each["state"] == "failed"]


def text(found: Found, name: str) -> str:
    return f"{found[name]['detail']} | {found[name]['action']}"


def test_failure_31_a_fresh_machine_is_told_what_the_defaults_do(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("LPA_ADMIN_ADDRESS", "LPA_LOG_LEVEL", "HEALTH_DISK_FREE_SHARE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("LPA_ADMIN_ADDRESS", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("HEALTH_DISK_FREE_SHARE", "0,0")
    found = doctor(status=0)
    assert "would read the topic streaming_events of kafka:9092" in text(found, "source")
    assert "a start makes it" in text(found, "data_folder")
    assert f"a start makes {Path('lpa-data/clickhouse').absolute()} and its tables" in text(found, "embedded_database")
    assert found["kafka_login"]["state"] == "not applicable"
    assert run(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("doctor: a job can start; for a file: `lpa doctor FILE`\n")
    assert [*Path().iterdir()] == []


def test_a_sink_alone_is_told_how_to_ask_about_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = ["--sink", f"clickhouse://{NOWHERE}/x"]
    assert run(["doctor", *sink]) == 1
    assert capsys.readouterr().out.endswith(" checks failed; for a file: `lpa doctor FILE`\n")
    Path("events.ndjson").touch()
    assert run(["doctor", "events.ndjson", *sink]) == 1
    assert "lpa doctor FILE" not in capsys.readouterr().out
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", NOWHERE)
    assert run(["doctor", *sink]) == 1
    assert "lpa doctor FILE" not in capsys.readouterr().out


def test_failure_31_settings_that_a_start_refuses_hide_no_other_check(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("lpa.toml").write_text("[quality]\ndedup_tl = 5\n")
    monkeypatch.setenv("LPA_STOP_SECONDS", "never")
    monkeypatch.setenv("LPA_PLUGINS_REQUIRED", "absent")
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", NOWHERE)
    found = doctor()
    assert failed(found) == ["settings", "kafka_address"]
    for part in ("lpa.toml:2: quality.dedup_tl", "LPA_STOP_SECONDS='never'", "there is no plugin absent"):
        assert part in text(found, "settings")
    assert "`lpa config`" in found["settings"]["action"]


def test_a_misspelt_variable_is_a_warning(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPA_DATADIR", "x")
    found = doctor(status=0)
    assert found["settings"]["state"] == "warning"
    assert "did you mean LPA_DATA_DIR" in text(found, "settings")


# The data folder.


def test_failure_31_a_file_in_the_place_of_the_data_folder_is_told(doctor: Doctor) -> None:
    Path("lpa-data").write_text("x")
    found = doctor()
    assert "lpa-data is not a folder | remove it, or set LPA_DATA_DIR" in text(found, "data_folder")
    assert {"data_folder", "embedded_database", "dedup_store"} <= {*failed(found)}


NOBODY: Final = 65_534
AS_NOBODY: Final = """
import contextlib, io, os, sys
from lpa_core.cli import run
with contextlib.redirect_stdout(io.StringIO()):
    run(["doctor"])  # imports everything, which nobody may not be allowed to read
os.setgroups([])
os.setgid(65_534)
os.setuid(65_534)
sys.exit(run(["doctor", "--json"]))
"""


def doctor_as_nobody() -> subprocess.CompletedProcess[str]:
    """A process without rights, in the working folder."""
    return subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_failure_31_a_data_folder_of_somebody_else_is_told_with_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        monkeypatch.chdir(folder)
        Path("lpa-data").mkdir(mode=0o755)
        done = doctor_as_nobody()
        found = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
        assert done.returncode == 1
        assert found["data_folder"]["state"] == "failed"
        assert "lpa-data belongs to root, and nobody cannot write into it" in found["data_folder"]["detail"]
        assert found["data_folder"]["action"].startswith("run lpa as root, give nobody the right to write")
        os.chown("lpa-data", NOBODY, NOBODY)
        done = doctor_as_nobody()
        assert done.returncode == 0, done.stdout
        monkeypatch.undo()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_failure_31_a_data_folder_that_root_would_write_into_is_told_with_its_owner(doctor: Doctor) -> None:
    """What root makes there, its owner could not write to later."""
    Path("lpa-data").mkdir()
    os.chown("lpa-data", NOBODY, NOBODY)
    found = doctor(status=0)
    assert found["data_folder"]["state"] == "warning"
    assert "run lpa as nobody" in text(found, "data_folder")


def test_failure_31_a_full_disk_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_DISK_FREE_SHARE", "1,1")
    found = doctor()
    assert failed(found) == ["disk"]
    assert "make room on it, or set LPA_DATA_DIR" in text(found, "disk")


HOLD: Final = """
import fcntl, os, sys
status = open(sys.argv[1], "w+")
status.write(f"PID: {os.getpid()}\\n")
status.flush()
fcntl.flock(status, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(database: Path) -> Iterator[int]:
    """Another process has the embedded database open, as far as its lock tells."""
    database.mkdir(parents=True)
    command = [sys.executable, "-c", HOLD, str(database / "status")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
        process.communicate("")


def test_failure_31_a_database_that_a_running_job_has_open_is_told_as_a_fact(doctor: Doctor) -> None:
    with held(Path("lpa-data/clickhouse")) as pid:
        found = doctor(status=0)
    assert found["embedded_database"]["state"] == "ok"
    assert f"is open in process {pid}" in text(found, "embedded_database")


# What is read.


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("none.ndjson", "none.ndjson does not exist | check the path"),
        (".", ". is a folder | name a file of newline-delimited JSON"),
        ("http://host/a", "no source for http:// is installed"),
        ("kafka://me:hunter@host/topic", "a login goes into LPA_KAFKA_SASL_USERNAME"),
        ("kafka://127.0.0.1:1/a/b", "expected a topic after the brokers"),
    ],
)
def test_failure_31_a_source_that_cannot_be_read_is_told(source: str, said: str, doctor: Doctor) -> None:
    found = doctor(source)
    assert "source" in failed(found)
    assert said in text(found, "source")
    assert "hunter" not in str(found)


def test_failure_31_a_file_of_the_future_speaks_against_the_clock(doctor: Doctor) -> None:
    Path("a.ndjson").write_text("{}\n")
    later = time.time() + 86_400
    os.utime("a.ndjson", (later, later))
    found = doctor("a.ndjson")
    assert failed(found) == ["source"]
    assert "set the clock of this machine right" in text(found, "source")


def test_a_file_needs_no_broker(doctor: Doctor) -> None:
    Path("a.ndjson").write_text("{}\n")
    found = doctor("a.ndjson", status=0)
    assert "can be read, as a.ndjson" in text(found, "source")
    assert found["kafka_client"]["state"] == "not applicable"


def test_failure_31_a_database_that_is_gone_is_told_before_a_file_is_taken_for_stored(
    doctor: Doctor, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = f"chdb://{Path('db').absolute()}"
    stored = StoredCheckpoint("a.ndjson", 0, f"chdb:{Path('db').resolve()}", Progress(5, "100"), None)
    folder = Path("lpa-data/checkpoints")
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(encode(stored))
    Path("b.ndjson").write_text("{}\n")
    assert run(["ingest", "b.ndjson", "--sink", sink]) == 1
    said = capsys.readouterr().err
    assert "`lpa recover total-loss`" in said
    found = doctor("b.ndjson", "--sink", sink)
    assert failed(found) == ["stored"]
    assert "`lpa recover total-loss`" in text(found, "stored")


# This machine.


def test_failure_31_a_clock_before_the_release_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpa_core.start_checks.machine.time.time_ns", lambda: 1_000_000_000)
    assert "correct the clock of this machine" in text(doctor(), "clock")


def test_failure_31_a_time_zone_that_is_none_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Nowhere")
    found = doctor(status=0)
    assert found["time_zone"]["state"] == "warning"
    assert "TZ=Europe/Nowhere names no time zone" in text(found, "time_zone")


def test_failure_31_few_open_files_are_told() -> None:
    limited = subprocess.run(
        ["bash", "-c", f'ulimit -n 300; "{LPA}" doctor --json'], capture_output=True, text=True, check=False, timeout=60
    )
    found = {each["name"]: each for each in json.loads(limited.stdout)["checks"]}
    assert limited.returncode == 1
    assert "may have 300 files" in found["file_limits"]["detail"]
    assert "`ulimit -n`" in found["file_limits"]["action"]


def test_failure_31_a_port_that_another_program_has_is_told_and_one_of_a_running_job_is_not_a_failure(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", NOWHERE)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        monkeypatch.setenv("LPA_ADMIN_ADDRESS", f"127.0.0.1:{taken.getsockname()[1]}")
        found = doctor()
        assert {*failed(found)} == {"admin_address", "kafka_address"}
        assert "in use by another program | set it to a free port" in text(found, "admin_address")
    with serving(b"", server="lpa") as address:
        monkeypatch.setenv("LPA_ADMIN_ADDRESS", address)
        found = doctor()
        assert failed(found) == ["kafka_address"]
        assert "a running job of lpa has it" in text(found, "admin_address")


@contextmanager
def serving(body: bytes, server: str = "nginx") -> Iterator[str]:
    """A web server; the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        server_version, sys_version = server, ""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None: ...

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    listening.server_close()


def test_proxies_of_the_environment_are_told_without_their_login(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter@proxy:3128")
    found = doctor(status=0)
    assert "HTTPS_PROXY=http://***@proxy:3128" in text(found, "proxies")
    assert "hunter" not in str(found)


# The brokers.


@pytest.mark.parametrize(
    ("environment", "check", "said"),
    [
        (
            {},
            "kafka_address",
            "nobody listens (connection refused) | check QUALITY_KAFKA_BOOTSTRAP and that the brokers",
        ),
        ({"QUALITY_KAFKA_BOOTSTRAP": "no.such.host.invalid:9092"}, "kafka_address", "cannot be resolved"),
        ({"LPA_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "kafka_client", "SASL mechanism"),
        ({"LPA_KAFKA_SSL_CIPHER": "x"}, "kafka_client", 'No such configuration property: "ssl.cipher"'),
        ({"QUALITY_DLQ_TOPIC": "streaming_events"}, "kafka_client", "must name four topics"),
    ],
)
def test_failure_31_brokers_that_cannot_be_reached_are_told(
    environment: dict[str, str], check: str, said: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"QUALITY_KAFKA_BOOTSTRAP": NOWHERE, **environment}.items():
        monkeypatch.setenv(name, value)
    found = doctor()
    assert check in failed(found)
    assert said in text(found, check)
    assert found["kafka_topics"]["state"] == "not tried"


def test_failure_31_one_of_two_brokers_that_is_away_is_told(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(b"<html>") as address:
        monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", f"{NOWHERE},{address}")
        said = text(doctor(), "kafka_address")
    assert "nobody listens" in said
    assert f"{address} is an HTTP server, no Kafka broker" in said


# The dedup store.


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


# ClickHouse.


@pytest.fixture(scope="module")
def server() -> Iterator[ClickHouseServer]:
    server = ClickHouseServer()
    yield server
    server.close()


@pytest.fixture
def sink(server: ClickHouseServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("CLICKHOUSE_USER", server.user)
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", server.password)
    Path("a.ndjson").write_text("{}\n")
    server.forget_faults()
    yield f"clickhouse://127.0.0.1:{server.port}"
    server.forget_faults()


@pytest.mark.slow
def test_failure_31_a_server_is_looked_at_step_by_step(
    server: ClickHouseServer, sink: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = doctor("a.ndjson", "--sink", sink)
    assert failed(found) == ["clickhouse_tables"]
    assert "`lpa schema apply` makes them" in text(found, "clickhouse_tables")
    assert found["clickhouse_inserts"]["state"] == "not tried"
    with server.client() as client:
        assert not [name for (name,) in client.query("SHOW DATABASES").result_rows if name == "livepeer_analytics"]
    assert run(["schema", "apply", "--sink", sink]) == 0
    found = doctor("a.ndjson", "--sink", sink, status=0)
    assert "time zone" in text(found, "clickhouse_login")
    with server.client() as client:
        client.command("ALTER TABLE livepeer_analytics.streaming_events ADD COLUMN mine String")
        found = doctor("a.ndjson", "--sink", sink, status=0)
        assert found["clickhouse_tables"]["state"] == "warning"
        client.command("ALTER TABLE livepeer_analytics.streaming_events DROP COLUMN mine")
        client.command("ALTER TABLE livepeer_analytics.streaming_events DROP COLUMN replay_id")
        found = doctor("a.ndjson", "--sink", sink)
        assert "ADD COLUMN replay_id" in text(found, "clickhouse_tables")
        client.command("DROP DATABASE livepeer_analytics SYNC")
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", "wrong")
    found = doctor("a.ndjson", "--sink", sink)
    assert failed(found) == ["clickhouse_login"]
    assert "check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD" in text(found, "clickhouse_login")
    assert {each["state"] for name, each in found.items() if name in ("clickhouse_grants", "clickhouse_clock")} == {
        "not tried"
    }


PAGE: Final = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"


@pytest.mark.parametrize(
    ("statement", "check"), [("now64(3)", "clickhouse_clock"), ("system.tables", "clickhouse_tables")]
)
def test_failure_31_a_page_in_place_of_an_answer_is_told(
    statement: str, check: str, server: ClickHouseServer, sink: str, doctor: Doctor
) -> None:
    server.tell(Fault(statement, answer=PAGE), times=20)
    found = doctor("a.ndjson", "--sink", sink)
    assert check in failed(found)
    assert "not an answer of ClickHouse's own" in text(found, check)


def test_failure_31_a_user_without_a_grant_is_told(sink: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpa_sinks.sink.readiness.missing", lambda client, database: ["INSERT ON `x`.*"])
    found = doctor("a.ndjson", "--sink", sink)
    assert "clickhouse_grants" in failed(found)
    assert "this user lacks INSERT ON `x`.* | GRANT it (docs/operations/permissions.md)" in text(
        found, "clickhouse_grants"
    )


def test_failure_31_a_clock_ahead_of_the_servers_is_told(
    sink: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = time.time_ns() + 3_600 * 10**9
    monkeypatch.setattr("lpa_sinks.sink.server_clock.time.time_ns", lambda: ahead)
    found = doctor("a.ndjson", "--sink", sink)
    assert "clickhouse_clock" in failed(found)
    assert "set the one right that is wrong" in text(found, "clickhouse_clock")


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        (f"clickhouse://{NOWHERE}", "Connection refused | start it, or check the address"),
        ("clickhouse://no.such.host.invalid", "no.such.host.invalid cannot be resolved"),
        ("clickhouse://me:hunter@host", "set CLICKHOUSE_PASSWORD instead"),
    ],
)
def test_failure_31_a_server_that_cannot_be_reached_is_told(sink: str, said: str, doctor: Doctor) -> None:
    Path("a.ndjson").write_text("{}\n")
    found = doctor("a.ndjson", "--sink", sink)
    assert failed(found) == (["stored", "clickhouse_address"] if "hunter" in sink else ["clickhouse_address"])
    assert said in text(found, "clickhouse_address")
    assert "hunter" not in str(found)
    assert found["clickhouse_tables"]["state"] == "not tried"


def test_failure_31_tls_where_there_is_none_and_a_proxy_that_is_away_are_told(
    server: ClickHouseServer, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.ndjson").write_text("{}\n")
    found = doctor("a.ndjson", "--sink", f"https://127.0.0.1:{server.port}")
    assert "no TLS there" in text(found, "clickhouse_address")
    monkeypatch.setenv("HTTP_PROXY", f"http://{NOWHERE}")
    found = doctor("a.ndjson", "--sink", "http://clickhouse.example:8123")
    assert "or name the host in NO_PROXY" in text(found, "clickhouse_address")


def test_failure_31_of_two_sinks_each_is_looked_at(sink: str, doctor: Doctor) -> None:
    found = doctor("a.ndjson", "--sink", f"clickhouse://{NOWHERE}", "--sink", sink)
    assert failed(found) == [f"clickhouse_address clickhouse://{NOWHERE}", f"clickhouse_tables {sink}"]


def test_failure_31_an_archive_that_cannot_be_written_is_told(doctor: Doctor) -> None:
    Path("file").write_text("x")
    assert "name a folder that can" in text(doctor("--archive", "file/archive"), "archive")
    assert "a start makes" in text(doctor("--archive", "new/archive", status=0), "archive")


# Plugins.

PLUGIN: Final = """
from lpa_core.plugin import Finding, StartCheck, State, hookimpl

@hookimpl
def lpa_start_checks(start):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "name", "said"),
    [
        (
            "return [StartCheck('licence', '', lambda start: Finding(State.CRITICAL, 'it ran out', action='renew'))]",
            "licence",
            "it ran out | renew",
        ),
        ("return [1]", "start_checks own", "lpa_start_checks of the plugin own"),
        ("1 / 0", "start_checks own", "ZeroDivisionError"),
    ],
)
def test_failure_31_a_plugin_brings_checks_and_a_broken_one_hides_no_other(
    body: str, name: str, said: str, tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = tmp_path / "site" / "own-1.dist-info"
    information.mkdir(parents=True)
    (tmp_path / "site" / "own_doctor.py").write_text(PLUGIN.format(body=body))
    (information / "METADATA").write_text("Metadata-Version: 2.4\nName: own\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[lpa]\nown = own_doctor\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "own_doctor", raising=False)
    found = doctor()
    assert failed(found) == [name]
    assert said in text(found, name)


def test_failure_31_a_plugin_that_is_broken_is_told(
    tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = tmp_path / "site" / "bad-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.4\nName: bad\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[lpa]\nbad = no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    found = doctor(status=0)
    assert found["plugins"]["state"] == "warning"
    assert "LPA_PLUGINS_DISABLED=bad" in text(found, "plugins")
    monkeypatch.setenv("LPA_PLUGINS_REQUIRED", "bad")
    assert failed(doctor()) == ["settings"]
