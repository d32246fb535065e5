"""Every command at the edges of its process: streams, signals, proxies, folders and names. `./dev edges` runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from services.preloaded import Fork, Process

from edges.examples import ENDLESS, EXAMPLES, commands
from edges.expected import Undisturbed, assert_clean
from edges.ground import LONGEST_SECONDS, Ended, Ground, clean_environment

pytestmark = pytest.mark.edges

LINES: Final = [f"{command} {rest}".strip() for command, ways in EXAMPLES.items() for rest in ways]
PRINT_ONLY: Final = {"generate --events 20000", "generate --events 100 --rate 100"}
"""Have nothing to do if nobody reads them."""
MOMENTS: Final = int(os.environ.get("LPA_EDGES_MOMENTS", "20"))
"""At which a command is interrupted, spread over its time."""
DONE_BEFORE: Final = {"schema rollback --migrations migrations": 2}
"""The status of a command that is run again after it did its work, where there is nothing left to do."""
_LATE_SECONDS: Final = 0.1
"""A command that ends as usual so soon after the signal was at its end already."""
LPA: Final = str(Path(sys.executable).with_name("lpa"))
Test = TypeVar("Test", bound=Callable[..., Any])
PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def every_command(test: Test) -> Test:
    """One case a command, of which a run may take a share."""
    return pytest.mark.in_shares(pytest.mark.parametrize("line", LINES)(test))


def test_every_command_has_an_example() -> None:
    assert commands() == sorted(EXAMPLES), "give it an example in tests/edges/examples.py"


@every_command
@pytest.mark.parametrize("closed", [(1,), (0, 2)], ids=["stdout", "stdin and stderr"])
def test_a_closed_stream_changes_no_status(
    line: str, closed: tuple[int, ...], ground: Ground, undisturbed: Undisturbed
) -> None:
    expected = undisturbed(line).status
    ground.put_back()
    ended = ground.run(line, closed=closed)
    assert_clean(ended, silent=True)
    if line.startswith("ingest -") and 0 in closed:
        expected = 1
    assert ended.status == expected, ended


@every_command
def test_a_reader_that_goes_away_changes_no_status(line: str, ground: Ground, undisturbed: Undisturbed) -> None:
    expected = undisturbed(line).status
    if line == ENDLESS:
        expected = 0  # nobody looks any more
    if line in PRINT_ONLY:
        expected = 1
    ground.put_back()
    ended = ground.run(line, output="|", meanwhile=leave_alone)
    assert_clean(ended, silent=True)
    assert ended.status == expected, ended


@every_command
def test_a_full_standard_output_is_told_and_stops_no_work(line: str, ground: Ground, undisturbed: Undisturbed) -> None:
    expected = undisturbed(line)
    ground.put_back()
    ended = ground.run(line, output="/dev/full", meanwhile=leave_alone)
    assert_clean(ended)
    if line == ENDLESS:
        assert ended.status == 1, ended
    else:
        assert ended.status == (expected.status or int(expected.prints)), ended
    if expected.prints:
        assert "No space left on device" in ended.err


@every_command
@pytest.mark.xdist_group("in ascii")
def test_an_ascii_locale_changes_no_status(line: str, in_ascii: Ground, undisturbed: Undisturbed) -> None:
    expected = undisturbed(line).status
    in_ascii.put_back()
    ended = in_ascii.run(line)
    assert_clean(ended)
    assert ended.status == expected, ended
    assert line in PRINT_ONLY or ended.out.isascii()


@every_command
def test_a_dead_proxy_is_not_asked_for_what_is_here(line: str, ground: Ground, undisturbed: Undisturbed) -> None:
    expected = undisturbed(line).status
    ground.put_back()
    ended = ground.run(line, **dict.fromkeys(PROXIES, "http://127.0.0.1:9"), NO_PROXY="", no_proxy="")
    assert_clean(ended)
    assert ended.status == expected, ended


@every_command
@pytest.mark.xdist_group("read only")
def test_a_read_only_data_folder_is_told_in_one_line(line: str, read_only: Ground) -> None:
    assert_clean(read_only.run(line))


@every_command
def test_odd_names_of_folders_and_files_change_no_status(
    line: str, odd_names: Ground, undisturbed: Undisturbed
) -> None:
    expected = undisturbed(line).status
    odd_names.put_back()
    ended = odd_names.run(line)
    assert_clean(ended)
    assert ended.status == expected, ended


@every_command
def test_a_line_break_in_names_is_told_in_one_line(line: str, two_lines: Ground, undisturbed: Undisturbed) -> None:
    """No address holds one. What needs no address does its work."""
    expected = undisturbed(line).status
    two_lines.put_back()
    ended = two_lines.run(line)
    assert_clean(ended)
    assert ended.status in (expected, 1, 2), ended


@every_command
def test_ctrl_c_at_any_moment_is_130_and_a_line(line: str, ground: Ground, undisturbed: Undisturbed) -> None:
    """Run again, the command goes on and ends as if it had never been interrupted."""
    expected = undisturbed(line)
    duration, hits, tries = expected.seconds, 0, 0
    while hits < MOMENTS:
        tries += 1
        assert tries < 4 * MOMENTS + 40, f"{line} ends too soon: {hits} hits in {tries} tries"
        ground.put_back()
        interrupt = Interrupt(duration * (hits + 0.5) / MOMENTS)
        ended = ground.run(line, meanwhile=interrupt)
        at_its_end = line != ENDLESS and ended.status == expected.status and interrupt.ago < _LATE_SECONDS
        if not interrupt.hit or at_its_end:
            duration *= 0.9
            continue
        hits += 1
        assert ended.status == 130, ended
        assert_clean(ended)
        assert len(ended.said) == 1, ended.err
    again = ground.run(line)
    assert_clean(again)
    assert again.status in (expected.status, DONE_BEFORE.get(line)), again


@pytest.mark.parametrize("line", ["plugins", "ingest {file}"])
def test_ctrl_c_while_lpa_starts_is_130_and_a_line(line: str, ground: Ground) -> None:
    """In processes of their own, from the moment on that lpa's own code runs: before, Python ends as Python does."""
    hits = tries = 0
    duration = 0.0
    while hits < MOMENTS:
        tries += 1
        assert tries < 4 * MOMENTS + 40
        ground.put_back()
        process = subprocess.Popen(
            [LPA, *ground.words(line)],
            cwd=ground.folder,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        watched = Process(process.pid)
        watched.wait_for_start()
        began = time.monotonic()
        hit = False
        if duration:
            time.sleep(duration * (hits + 0.5) / MOMENTS)
            hit = watched.send(signal.SIGINT)
        out, err = process.communicate(timeout=LONGEST_SECONDS)
        watched.close()
        if not hit:
            duration = 0.9 * duration or time.monotonic() - began
            continue
        hits += 1
        ended = Ended(process.returncode, out, err.decode(), time.monotonic() - began)
        assert_clean(ended)
        assert (ended.status, len(ended.said)) == (130, 1), ended


def leave_alone(fork: Fork) -> None:
    """Even what has no end ends if nobody reads it."""


class Interrupt:
    """Ctrl-C so many seconds after a command's own code began to run."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.hit = False
        self._sent = 0.0

    def __call__(self, fork: Fork) -> None:
        fork.process.wait_for_start()
        time.sleep(self._seconds)
        self._sent = time.monotonic()
        self.hit = fork.process.send(signal.SIGINT)

    @property
    def ago(self) -> float:
        return time.monotonic() - self._sent
