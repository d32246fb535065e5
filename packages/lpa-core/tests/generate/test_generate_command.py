"""``lpa generate``: where the lines go, and what is said when they cannot."""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cyclopts
import pytest

from lpa_core.commands.generate import generate_app
from lpa_core.errors import UsageError
from lpa_core.generate import generate
from lpa_core.settings.settings import Settings

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ARGUMENTS = ["--events", "500", "--duplicates", "0.1", "--bad", "0.1", "--sessions", "5", "--seed", "3"]
EXPECTED = b"".join(line + b"\n" for line in generate(500, duplicates=0.1, bad=0.1, sessions=5, seed=3))


def run(*arguments: str) -> int:
    app = generate_app(Settings())
    status = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(status, int)
    return status


def test_lines_go_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(*ARGUMENTS) == 0
    assert capfdbinary.readouterr() == (EXPECTED, b"")


@pytest.mark.parametrize(
    ("name", "decompress"),
    [("a.ndjson", bytes), ("a.ndjson.gz", gzip.decompress), ("a.ndjson.zst", zstd.decompress)],
)
def test_a_file_is_compressed_by_its_name_and_the_same_every_time(
    name: str, decompress: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / name, tmp_path / f"again-{name}"]
    for file in files:
        assert run(*ARGUMENTS, "--output", str(file)) == 0
        assert decompress(file.read_bytes()) == EXPECTED
    assert files[0].read_bytes() == files[1].read_bytes()
    assert capsys.readouterr() == ("", "")


def test_a_file_that_cannot_be_written_is_named_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "missing" / "a.ndjson"
    with pytest.raises(UsageError, match=f"^cannot write {target}: No such file or directory: name a file that can be"):
        run(*ARGUMENTS, "--output", str(target))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--events", "-1"],
        ["--events", "10", "--bad", "2"],
        [],
        ["--rate", "0"],
        ["--rate", "nan"],
        ["--rate", "5", "--until", "now"],
        ["--events", "10", "--to", "kafka", "--output", "a.ndjson"],
        ["--events", "10", "--to", "elsewhere"],
    ],
)
def test_wrong_usage_is_refused_before_anything_is_written(
    arguments: list[str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with pytest.raises(cyclopts.CycloptsError):
        run(*arguments)
    assert capfdbinary.readouterr().out == b""


def test_a_time_that_is_none_is_refused_in_the_words_of_every_command() -> None:
    with pytest.raises(UsageError, match=r"^--until=tomorrow: this is not a time"):
        run("--events", "10", "--until", "tomorrow")


def test_events_until_now_are_the_same_with_other_times(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(*ARGUMENTS, "--until", "now") == 0
    now = time.time() * 1000
    lines = capfdbinary.readouterr().out.splitlines()
    expected = EXPECTED.splitlines()
    assert len(lines) == len(expected)
    times = [_time(line) for line in lines]
    assert now - 5000 < max(filter(None, times)) < now + 5
    shifts = {after - before for before, after in zip(map(_time, expected), times, strict=True) if before and after}
    assert len(shifts) == 1
    assert [_id(line) for line in lines] == [_id(line) for line in expected]


def test_the_last_event_arrives_when_it_is_asked_for(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run("--events", "300", "--bad", "0", "--duplicates", "0", "--until", "2026-03-01T12:00:00Z") == 0
    latest = max(map(_time, capfdbinary.readouterr().out.splitlines()))
    assert 0 <= 1_772_366_400_000 + 3 - latest < 5000


@pytest.mark.slow
def test_events_come_at_the_rate_as_of_now(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    began = time.time() * 1000
    assert run("--rate", "2000", "--events", "1000", "--bad", "0", "--duplicates", "0") == 0
    ended = time.time() * 1000
    lines = capfdbinary.readouterr().out.splitlines()
    assert len(lines) == 1000
    assert all(began - 2000 < _time(line) < ended + 5 for line in lines)
    assert ended - began > 150


def _event(line: bytes) -> dict[str, object]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _time(line: bytes) -> int:
    text = _event(line).get("timestamp")
    return int(text) if isinstance(text, str) and text.isdigit() else 0


def _id(line: bytes) -> object:
    return _event(line).get("id")
