from __future__ import annotations

import errno
import os

import pytest

from lpa_core.cli import run
from lpa_core.system_errors import explained, has_advice, number_in, out_of_files


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Code: 76. DB::ErrnoException: Cannot open file x: , errno: 24, strerror: Too many open files.", errno.EMFILE),
        ("IO error: While appending to file: 1.log: No space left on device", errno.ENOSPC),
        ("Cannot write, errno: 30", errno.EROFS),
        ("errno: 2, strerror: No such file or directory", None),
        ("all is well", None),
    ],
)
def test_failure_14_what_the_system_said_is_found_in_what_another_program_says(text: str, number: int | None) -> None:
    assert number_in(text) == number


def test_an_explanation_is_what_the_system_says_and_what_to_do() -> None:
    assert explained(errno.ENOSPC) == f"{os.strerror(errno.ENOSPC)}: make room on the disk"
    assert not has_advice(errno.ENOENT)
    assert not out_of_files()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_failure_14_an_error_of_the_system_is_no_fault_in_lpa(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise OSError(number, os.strerror(number), "/some/file")

    monkeypatch.setattr("lpa_core.cli.load", refuse)
    assert run(["plugins"]) == 1
    said = capsys.readouterr().err
    assert said == f"lpa: /some/file: {explained(number)}\n"
