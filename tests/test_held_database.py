"""The embedded database while another process has it open: said once, by every command that needs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.request import ProxyHandler, build_opener

import anyio
import pytest
from mcp import Client, StdioServerParameters
from services.preloaded import preloaded_lpa

from lpa_core.generate.generator import generate

pytestmark = pytest.mark.slow

HELD: Final = re.compile(r"the\s+embedded\s+database\s+is\s+open\s+in\s+process\s+(\d+)")


def lpa(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [preloaded_lpa(), *arguments],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def environment(folder: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LPA_", "CLICKHOUSE_"))}
    return inherited | {"LPA_DATA_DIR": str(folder / "data"), "COLUMNS": "80"}


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """By an ingestion that waits for more from its standard input."""
    (tmp_path / "events.ndjson").write_text('{"a": 1}\n')
    assert lpa(tmp_path, "ingest", "events.ndjson")[0] == 0
    command = [preloaded_lpa(), "ingest", "-"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as ingestion:
        # No command asks meanwhile: it would have the database itself for a moment, and the ingestion would be refused.
        deadline = time.monotonic() + 60
        while not (held := tmp_path / "data" / "clickhouse" / "status").exists() or "PID" not in held.read_text():
            assert time.monotonic() < deadline
            assert ingestion.poll() is None
            time.sleep(0.1)
        yield tmp_path
        ingestion.communicate(b"")
        assert ingestion.returncode == 0


def test_it_is_said_once_whatever_needs_it(held: Path) -> None:
    status, said = lpa(held, "schema", "check")
    assert (status, said.count("\n")) == (2, 1)
    assert "wait for it or stop it" in said

    # As in a folder that can hold no socket.
    wait_for((held / "data" / "clickhouse" / "lpa-reads.sock").exists)
    (held / "data" / "clickhouse" / "lpa-reads.sock").unlink()
    status, said = lpa(held, "health")
    assert status == 1
    headings = re.findall(r"^(critical|warning|unknown): \d+$", said, re.MULTILINE)
    assert len(HELD.findall(said)) == len(headings), "once for all checks of a state"
    assert len(set(HELD.findall(said))) == 1

    status, said = lpa(held, "health", "--json")
    assert status == 1
    blind = [check["name"] for check in json.loads(said)["checks"] if HELD.search(check["detail"])]
    assert len(blind) > 10


def test_what_only_reads_goes_through_the_process_that_has_it(held: Path) -> None:
    status, said = lpa(held, "query", "SELECT count() AS dead_letters FROM streaming_events_dlq", "--json")
    assert status == 0, said
    assert json.loads(said) == [{"dead_letters": 1}]

    status, said = lpa(held, "triage", "--json")
    assert status == 0
    assert [each["failure_reason"] for each in json.loads(said)["failures"]] == ["missing_type"]

    status, said = lpa(held, "trace", "events.ndjson/0/0", "--json")
    assert status == 0, said
    assert [each["fate"] for each in json.loads(said)["records"]] == ["dead letter"]


def test_health_goes_through_the_process_that_has_it(held: Path) -> None:
    wait_for((held / "data" / "clickhouse" / "lpa-reads.sock").exists)
    _, said = lpa(held, "health", "--json")
    checks = {check["name"]: check for check in json.loads(said)["checks"]}
    assert not [name for name, check in checks.items() if HELD.search(check["detail"])]
    assert checks["schema_drift"]["state"] == "ok"
    assert "another process has the database open" in checks["damaged_parts"]["detail"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The URL of `lpa serve` over a database with events."""
    (tmp_path / "one.ndjson").write_text(next_events(1))
    assert lpa(tmp_path, "ingest", "one.ndjson")[0] == 0
    with subprocess.Popen(
        [preloaded_lpa(), "serve"],
        cwd=tmp_path,
        env=environment(tmp_path) | {"LPA_SERVE_ADDRESS": "127.0.0.1:0"},
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        try:
            assert serving.stderr
            yield json.loads(serving.stderr.readline())["url"]
        finally:
            serving.terminate()
            serving.communicate(timeout=60)
    assert serving.returncode == 0


def test_the_read_api_is_served_beside_whatever_comes_and_goes(served: str, tmp_path: Path) -> None:
    url = f"{served}/v1/dashboard/pricing?org="
    first = answer(url)
    # It has the database open now, and gives way.
    (tmp_path / "two.ndjson").write_text(next_events(2))
    assert lpa(tmp_path, "ingest", "two.ndjson")[0] == 0
    assert lpa(tmp_path, "query", "SELECT 1")[0] == 0
    assert answer(url) == first
    folder = tmp_path / "data" / "clickhouse"
    held = holder(folder)
    with subprocess.Popen(
        [preloaded_lpa(), "ingest", "-"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as ingestion:
        try:
            wait_for(lambda: holder(folder) not in ("", held) and (folder / "lpa-reads.sock").exists())
            assert answer(url) == first
        finally:
            ingestion.kill()
    assert answer(url) == first, "a killed job does not stand in the way"


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[str]:
    """The URL of `lpa console` over a database with events."""
    (tmp_path / "one.ndjson").write_text(next_events(1))
    assert lpa(tmp_path, "ingest", "one.ndjson")[0] == 0
    settings = {"LPA_CONSOLE_ADDRESS": "127.0.0.1:0", "HEALTH_INTERVAL_SECONDS": "1"}
    with subprocess.Popen(
        [preloaded_lpa(), "console"],
        cwd=tmp_path,
        env=environment(tmp_path) | settings,
        stderr=subprocess.PIPE,
        text=True,
    ) as console:
        try:
            assert console.stderr
            yield json.loads(console.stderr.readline())["url"]
        finally:
            console.terminate()
            console.communicate(timeout=60)
    assert console.returncode == 0


def test_the_console_shows_health_beside_whatever_comes_and_goes(shown: str, tmp_path: Path) -> None:
    url = f"{shown}/health.json"
    wait_for(lambda: bool(checks(url)))
    (tmp_path / "two.ndjson").write_text(next_events(2))
    assert lpa(tmp_path, "ingest", "two.ndjson")[0] == 0
    folder = tmp_path / "data" / "clickhouse"
    held = holder(folder)
    with subprocess.Popen(
        [preloaded_lpa(), "ingest", "-"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as ingestion:
        try:
            wait_for(lambda: holder(folder) not in ("", held) and (folder / "lpa-reads.sock").exists())
            wait_for(lambda: "of 600 records" in checks(url)["dlq_rate"]["detail"])
            blind = [each["detail"] for each in checks(url).values() if "could not be judged" in each["detail"]]
            assert blind == []
            assert checks(url)["damaged_parts"]["state"] == "not applicable"
        finally:
            ingestion.kill()


def checks(url: str) -> dict[str, dict[str, str]]:
    with build_opener(ProxyHandler({})).open(url, timeout=60) as found:
        return {each["name"]: each for each in json.loads(found.read())["checks"]}


def next_events(seed: int) -> str:
    return "\n".join(line.decode() for line in generate(300, duplicates=0.0, bad=0.0, sessions=5, seed=seed)) + "\n"


def answer(url: str) -> object:
    with build_opener(ProxyHandler({})).open(url, timeout=60) as found:
        return json.loads(found.read())


def holder(folder: Path) -> str:
    """What the engine notes of the process that has the database open; empty while it changes hands."""
    try:
        return (folder / "status").read_text()
    except FileNotFoundError:
        return ""


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_agent_asks_while_another_process_writes(held: Path) -> None:
    server = StdioServerParameters(
        command=str(preloaded_lpa()), args=["mcp"], cwd=held, env=environment(held), encoding="utf-8"
    )

    async def asked() -> tuple[str, Any, Any, Any]:
        async with Client(server) as client:
            found = await client.call_tool("failures", {"since": "1d"})
            flow = await client.call_tool("flow", {})
            page = await client.call_tool("page", {"page": "docs/operations/health.md#dlq-rate"})
            return client.server_info.name, *(each.structured_content for each in (found, flow, page))

    name, found, flow, page = anyio.run(asked)
    assert name == "lpa"
    assert found["untrusted"]["total"] == 1
    partitions = flow["untrusted"]["partitions"]
    assert partitions["kafka_unknown"] == "no Kafka is configured: events come from files", "it was asked"
    assert page["text"].startswith("## DLQ rate")
    lines = [*map(json.loads, (held / "data" / "mcp-audit.jsonl").read_text().splitlines())]
    assert [(line["transport"], line["tool"]) for line in lines] == [
        ("stdio", each) for each in ("failures", "flow", "page")
    ]


def test_what_is_missing_for_agents_over_http_is_said_at_once(tmp_path: Path) -> None:
    status, said = lpa(tmp_path, "mcp", "--http")
    assert (status, "set LPA_MCP_TOKEN" in " ".join(said.split())) == (2, True), said


READER: Final = """
import sys, time
from lpa_sinks.clickhouse.readers import Readers
from lpa_core.settings.loading import load
from lpa_sinks.clickhouse.database import endpoint_of
readers = Readers(endpoint_of(f"chdb://{sys.argv[1]}", load({})), "", 30)
readers.run(lambda client: client.command("SELECT 1"))
print("open", flush=True)
time.sleep(60)
"""
SLOW_READER: Final = """
import time
from lpa_sinks.clickhouse import readers
opens = readers.open_to_read
def open_to_read(path):
    print("opens", flush=True)
    time.sleep(1)
    return opens(path)
readers.open_to_read = open_to_read
"""
WRITER: Final = """
import sys, time
from pathlib import Path
from lpa_sinks.clickhouse import embedded
opens = embedded.open_to_read
def open_to_read(path):
    time.sleep(float(sys.argv[2]))
    return opens(path)
embedded.open_to_read = open_to_read
print(embedded.open_embedded(Path(sys.argv[1])).command("SELECT 1"))
"""


def test_a_reader_that_is_opening_it_gives_way_too(tmp_path: Path) -> None:
    """It is not there at the look, and does not listen yet."""
    (tmp_path / "clickhouse").mkdir()
    with started(SLOW_READER + READER, tmp_path / "clickhouse") as reader:
        assert line_of(reader) == "opens"
        assert written(tmp_path / "clickhouse", slow=0) == ("1\n", "")
        reader.kill()


def test_no_reader_is_faster_than_the_process_that_it_gave_way(tmp_path: Path) -> None:
    (tmp_path / "clickhouse").mkdir()
    asks_again = (
        READER.replace("time.sleep(60)", "") + "while True: readers.run(lambda client: client.command('SELECT 1'))"
    )
    with started(asks_again, tmp_path / "clickhouse") as reader, started(asks_again, tmp_path / "clickhouse") as other:
        assert {line_of(reader), line_of(other)} == {"open"}
        assert written(tmp_path / "clickhouse", slow=3) == ("1\n", "")
        for each in (reader, other):
            each.kill()


@contextmanager
def started(program: str, database: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", program, database], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def written(database: Path, *, slow: float) -> tuple[str, str]:
    """What a process prints that opens the database ``slow`` seconds after a reader gave way."""
    late = subprocess.run(
        [sys.executable, "-c", WRITER, database, str(slow)], capture_output=True, text=True, check=False, timeout=60
    )
    return late.stdout, late.stderr
