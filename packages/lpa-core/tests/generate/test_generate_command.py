"""``lpa generate``: where the lines go, and what is said when they cannot."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import cyclopts
import pytest

from lpa_core.commands.generate import generate_app
from lpa_core.errors import UsageError
from lpa_core.generate import generate

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ARGUMENTS = ["--events", "500", "--duplicates", "0.1", "--bad", "0.1", "--sessions", "5", "--seed", "3"]
EXPECTED = b"".join(line + b"\n" for line in generate(500, duplicates=0.1, bad=0.1, sessions=5, seed=3))


def run(*arguments: str) -> int:
    status = generate_app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
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


@pytest.mark.parametrize("arguments", [["--events", "-1"], ["--events", "10", "--bad", "2"], []])
def test_wrong_usage_is_refused_before_anything_is_written(
    arguments: list[str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with pytest.raises(cyclopts.CycloptsError):
        run(*arguments)
    assert capfdbinary.readouterr().out == b""
