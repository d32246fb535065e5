"""Standard streams that are closed, full or read by nobody, other encodings, and data that would steer a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest
import structlog
from services.preloaded import preloaded_lpa

from lpa_core import logs
from lpa_core.commands.output import print_json

LPA: Final = str(Path(sys.executable).with_name("lpa"))
ASCII: Final = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
EVENT: Final = '{{"id": "{}", "type": "other", "timestamp": 1767873600000, "data": {{}}}}\n'
STEERING: Final = "\x1b[31mred\x1b[0m\rover\u202eturned\x9b2J"
SHOWN: Final = r"\x1b[31mred\x1b[0m\rover\u202eturned\x9b2J"


def shell(line: str, folder: Path, lpa: str = LPA, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        env={**os.environ, "LPA": lpa, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirection", "status"),
    [
        (">/dev/full", 1),
        pytest.param("| true", 0, marks=pytest.mark.slow),
        pytest.param(">&-", 0, marks=pytest.mark.slow),
        pytest.param("2>&-", 0, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_failure_27_an_ingest_whose_output_goes_nowhere_delivers_everything(
    redirection: str, status: int, tmp_path: Path
) -> None:
    (tmp_path / "events.ndjson").write_text("".join(EVENT.format(number) for number in range(50)))
    done = shell(f'"$LPA" ingest events.ndjson --no-facts {redirection}', tmp_path, PYTHONUNBUFFERED="1")
    assert done.returncode == status, done.stderr
    assert done.stderr.count("\n") == status
    again = shell('"$LPA" ingest events.ndjson --no-facts --json', tmp_path, str(preloaded_lpa()))
    assert json.loads(again.stdout)["read"] == 0, "all was delivered before"


@pytest.mark.parametrize("unbuffered", ["", pytest.param("1", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("redirection", "status", "lines"),
    [(">/dev/full", 1, 1), ("| true", 0, 0), (">&-", 0, 0), ("2>/dev/full", 0, 0), ("<&- >&- 2>&-", 0, 0)],
    ids=str,
)
def test_failure_27_what_cannot_be_printed_is_told_in_one_line(
    redirection: str, status: int, lines: int, unbuffered: str, tmp_path: Path
) -> None:
    done = shell(f'"$LPA" plugins {redirection}', tmp_path, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr.count("\n")) == (status, lines), done.stderr
    if lines:
        assert "standard output: No space left on device" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&- 2>&-"])
def test_failure_27_an_error_that_nobody_can_read_keeps_its_status(redirection: str, tmp_path: Path) -> None:
    assert shell(f'"$LPA" plugins --nonsense {redirection}', tmp_path).returncode == 2


@pytest.mark.slow
def test_failure_27_a_pipe_that_does_not_block_is_given_everything(tmp_path: Path) -> None:
    """Whoever shares the pipe may have asked for that, such as node."""
    read, written = os.pipe()
    os.set_blocking(written, False)
    process = subprocess.Popen(
        [LPA, "generate", "--events", "2000"], stdout=written, stderr=subprocess.PIPE, cwd=tmp_path
    )
    os.close(written)
    time.sleep(1)
    with os.fdopen(read, "rb") as printed:
        assert printed.read().count(b"\n") == 2000
    _, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.slow
def test_failure_27_what_came_through_a_pipe_is_stored_while_it_is_open(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [LPA, "ingest", "-", "--no-facts"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    assert process.stdin is not None
    count = '"$LPA" query "SELECT count() AS stored FROM streaming_events_dlq" --json'
    for number in (1, 2):
        process.stdin.write(EVENT.format(number).encode())
        process.stdin.flush()
        stored = 0
        deadline = time.monotonic() + 120
        while stored < number and time.monotonic() < deadline:
            found = shell(count, tmp_path)
            stored = int(json.loads(found.stdout)[0]["stored"]) if found.returncode == 0 else 0
        assert stored == number
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(timeout=120) == 0


def test_failure_27_a_closed_standard_input_is_told(tmp_path: Path) -> None:
    done = shell('"$LPA" ingest - --no-facts <&-', tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lpa: standard input is closed: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_failure_27_a_message_is_one_line_whatever_is_in_a_name(tmp_path: Path) -> None:
    done = subprocess.run(
        [LPA, "ingest", f"two\nlines{STEERING}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1
    assert rf"two\nlines{SHOWN}" in done.stderr


def test_failure_27_a_log_line_at_a_terminal_shows_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("console")
    structlog.get_logger("lpa").warning(f"a message {STEERING}", topic=STEERING)
    err = capsys.readouterr().err
    assert "\u202e" not in err
    assert "\r" not in err
    assert "\x9b" not in err
    assert err.count(SHOWN) == 2


def test_failure_27_json_shows_escapes_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"payload": f"{STEERING}\U0001f600\x7f"}
    print_json(value)
    out = capsys.readouterr().out
    assert out.replace("\n", "").isprintable()
    assert json.loads(out) == value


@pytest.mark.slow
def test_failure_27_an_ascii_locale_shows_and_finds_names(tmp_path: Path) -> None:
    (tmp_path / "spa\u0308ces").mkdir()
    done = shell('"$LPA" backup list --location spa\u0308ces', tmp_path, **ASCII)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert r"spa\udccc\udc88ces" in done.stdout
