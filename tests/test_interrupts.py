"""Ctrl-C, SIGTERM, SIGHUP: a command ends soon, with status 130 and a line."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

import pytest
from services.preloaded import Process

from lpa_core import interrupts

LPA: Final = str(Path(sys.executable).with_name("lpa"))
LINE: Final = "lpa: stopped; run the same command again to go on\n"
EVENT: Final = '{{"id": "{}", "type": "other", "timestamp": 1767873600000, "data": {{}}}}\n'
STUBBORN: Final = """
import time
from lpa_core import interrupts
interrupts.install()
interrupts._PATIENCE_SECONDS = {patience}
interrupts.begin_work()
print("ready", flush=True)
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass  # as a library may do
"""

LEAVING: Final = """
import threading
import time
from lpa_core import interrupts
interrupts.install()
interrupts._LEAVING_SECONDS = {leaving}
interrupts.begin_work()
asked = threading.Event()
with interrupts.stopping(lambda number: asked.set(), 0.5):
    print("ready", flush=True)
    asked.wait()
time.sleep(1.5)
interrupts.leave(0)
"""

SAYING: Final = """
import os, signal, sys, time
from lpa_core import interrupts
interrupts.install()
interrupts.begin_work()
def say():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    print("lpa: it failed", file=sys.stderr)
interrupts.last_word(say)
interrupts.leave(130 if interrupts.requested() else 1)
"""

CONVERTING: Final = """
import time
import cyclopts
from lpa_core import cli
def build_app(settings, plugins):
    app = cyclopts.App(result_action="return_value")
    @app.default
    def work():
        try:
            print("ready", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            raise SystemError("returned a result with an exception set") from None
    return app
cli.build_app = build_app
cli.main([])
"""


@pytest.fixture(autouse=True)
def hangup_is_not_ignored() -> Iterator[None]:
    """Under nohup the tests ignore SIGHUP, and so would all that they start."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def start(command: Sequence[str], folder: Path, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=folder, bufsize=0, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def unread(pipe: IO[bytes]) -> int:
    """How many bytes wait in the pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, bytes, str]:
    """Its status, and what is left of what it printed."""
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        status = process.wait(300)
        return status, process.stdout.read(), process.stderr.read().decode()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_failure_28_an_ingest_that_waits_for_standard_input_stores_what_came(
    number: signal.Signals, tmp_path: Path
) -> None:
    """A line that is not whole yet is no record."""
    process = start([LPA, "ingest", "-", "--no-facts", "--json"], tmp_path, subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(f"{EVENT.format(1)}{EVENT.format(2)}{EVENT[:10]}".encode())
    process.stdin.flush()
    assert unread(process.stdin)
    while unread(process.stdin):
        time.sleep(0.02)
    process.send_signal(number)
    status, out, err = ended(process)
    process.stdin.close()
    assert status == 130
    assert json.loads(out)["read"] == 2
    assert [line for line in err.splitlines(keepends=True) if not line.startswith("{")] == [LINE]


@pytest.mark.slow
def test_failure_28_an_interrupted_file_is_read_on_by_the_same_command(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text("".join(EVENT.format(number) for number in range(100_000)))
    environment = {"CLICKHOUSE_SINK_MAX_BATCH_SIZE": "500"}
    command = [LPA, "ingest", "events.ndjson", "--no-facts", "--json"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not list(tmp_path.glob("lpa-data/checkpoints/*.json")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err.decode()) == (130, LINE)
    first = json.loads(out)["read"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert 0 < first < 100_000
    assert first + json.loads(done.stdout)["read"] == 100_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_failure_28_a_command_whose_reader_does_not_read_can_be_stopped(number: signal.Signals, tmp_path: Path) -> None:
    process = start([LPA, "generate", "--events", "100000"], tmp_path)
    assert process.stdout is not None
    process.stdout.read(1)
    process.send_signal(number)
    assert process.wait(300) == 130
    assert ended(process)[2] == LINE


def test_failure_28_ctrl_c_during_imports_is_no_traceback(tmp_path: Path) -> None:
    process = start([LPA, "plugins"], tmp_path)
    watched = Process(process.pid)
    watched.wait_for_start()
    watched.send(signal.SIGINT)
    watched.close()
    assert ended(process) == (130, b"", LINE)


@pytest.mark.parametrize(("patience", "signals"), [(60, 2), (0.2, 1)], ids=["twice", "patience ends"])
def test_failure_28_a_library_that_swallows_interrupts_does_not_hang(
    patience: float, signals: int, tmp_path: Path
) -> None:
    process = start([sys.executable, "-c", STUBBORN.format(patience=patience)], tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    for _ in range(signals):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert ended(process) == (130, b"", LINE)


@pytest.mark.parametrize(
    ("leaving", "outcome"), [(60, (0, b"", "")), (0.2, (130, b"", LINE))], ids=["long", "for ever"]
)
def test_failure_28_leaving_a_group_takes_its_time_when_the_work_is_done(
    leaving: float, outcome: tuple[int, bytes, str], tmp_path: Path
) -> None:
    process = start([sys.executable, "-c", LEAVING.format(leaving=leaving)], tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert ended(process) == outcome


def test_failure_28_an_interrupt_does_not_cut_off_why_a_command_ends(tmp_path: Path) -> None:
    process = start([sys.executable, "-c", SAYING], tmp_path)
    assert ended(process) == (130, b"", "lpa: it failed\n")


@pytest.mark.slow
def test_failure_28_an_error_that_a_library_makes_of_the_interrupt_is_none(tmp_path: Path) -> None:
    process = start([sys.executable, "-c", CONVERTING], tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    status, _, err = ended(process)
    assert (status, err) == (130, LINE)


@pytest.mark.slow
def test_failure_28_what_was_ignored_stays_ignored(tmp_path: Path) -> None:
    """As ``nohup`` asks for, and as SIGPIPE is."""
    script = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    process = start([sys.executable, "-c", script, LPA, "generate", "--events", "5000"], tmp_path)
    assert process.stdout is not None
    process.stdout.read(1)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGPIPE)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, b"")
    assert out.count(b"\n") == 5000


def test_failure_28_ctrl_c_does_not_reach_processes_that_a_command_starts() -> None:
    """A terminal sends it to all of them; Python's would each print a traceback."""
    with interrupts.kept_from_children():
        child = subprocess.Popen(["sleep", "60"])
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.2)
    child.kill()
    child.wait()
