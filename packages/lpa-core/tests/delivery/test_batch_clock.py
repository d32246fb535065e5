"""Batch times are the clock's, where nothing speaks against it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.delivery.batch_clock import PATIENCE_SECONDS, RECORDS_AHEAD_MS, SLACK_MS, BatchClock
from lpa_core.jobs.file_job import require_written
from lpa_core.release import RELEASED_MS, WrongClockError, require_clock

NOW = 1_800_000_000_000
DAY = 86_400_000
YEAR_2099 = 4_070_908_800_000


class Machine:
    """Its clock, and the seconds that really pass."""

    def __init__(self, earliest: int = 0, started: int = NOW) -> None:
        self.wall, self.seconds = started, 0.0
        self.clock = BatchClock(lambda: self.wall, lambda: self.seconds, earliest)
        self.last = 0

    def time(self, *records: int) -> int:
        self.last = self.clock.time(self.last, records)
        return self.last

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += int(seconds * 1000)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize("wall", [0, 1_000_000, RELEASED_MS - 1])
def test_failure_06_a_clock_before_the_release_is_wrong(wall: int) -> None:
    machine = Machine(RELEASED_MS)
    machine.wall = wall
    for _ in range(3):
        with pytest.raises(WrongClockError, match=r"this version of lpa was released on .*: correct the clock"):
            machine.time()
        machine.seconds += 100 * PATIENCE_SECONDS
    machine.wall = RELEASED_MS
    assert machine.time() == RELEASED_MS


def test_failure_06_a_clock_that_was_set_after_the_start_is_believed_at_once() -> None:
    machine = Machine(RELEASED_MS, started=0)
    machine.wait(5)
    with pytest.raises(WrongClockError, match="released on"):
        machine.time()
    machine.wall = NOW
    assert machine.time(NOW - DAY) == NOW, "a backlog does not confirm it, and nothing speaks against it"


def test_failure_06_a_jump_before_the_first_range_is_noticed(machine: Machine) -> None:
    machine.wait(30)
    machine.wall += YEAR_2099 - NOW
    with pytest.raises(WrongClockError, match="it jumped ahead by"):
        machine.time(NOW)
    machine.wait(3)
    machine.wall -= YEAR_2099 - NOW
    assert machine.time(NOW) == machine.wall


def test_failure_06_a_clock_behind_what_is_stored_is_wrong(machine: Machine) -> None:
    machine.clock.stored(NOW)
    machine.wall = NOW - SLACK_MS
    assert machine.time() == NOW - SLACK_MS, "clocks differ a little"
    machine.wall -= 1
    for _ in range(3):
        with pytest.raises(
            WrongClockError, match=r"rows of 2027-01-15 08:00:00 UTC are stored.*`lpa recover wrong-times`"
        ):
            machine.time()
        machine.seconds += 100 * PATIENCE_SECONDS


def test_failure_06_a_stored_time_that_is_wrong_names_the_way_out(machine: Machine) -> None:
    machine.clock.stored(YEAR_2099)
    with pytest.raises(
        WrongClockError, match=r"if it is right, the stored time is wrong: .* `lpa recover wrong-times`"
    ):
        machine.time()


def test_failure_06_a_clock_behind_most_records_is_waited_for(machine: Machine) -> None:
    records = [NOW + DAY] * 6 + [NOW] * 4
    with pytest.raises(WrongClockError, match="most records that wait are of 2027-01-16"):
        machine.time(*records)
    machine.wall += DAY
    assert machine.time(*records) == NOW + DAY


def test_failure_06_records_of_any_time_hold_nothing_up_for_ever(machine: Machine) -> None:
    """Producers may send what they like."""
    assert machine.time(YEAR_2099, NOW, NOW) == NOW, "some of them do not count"
    assert machine.time(NOW + RECORDS_AHEAD_MS) == NOW
    with pytest.raises(WrongClockError, match="continues in 10 minutes at most"):
        machine.time(YEAR_2099)
    machine.wait(PATIENCE_SECONDS - 1)
    with pytest.raises(WrongClockError):
        machine.time(YEAR_2099)
    machine.wait(1)
    assert machine.time(YEAR_2099) == machine.wall
    machine.wait(1)
    assert machine.time(YEAR_2099) == machine.wall, "each time again would be for ever, too"


def test_failure_06_a_partition_of_any_times_waits_no_longer_beside_good_ones(machine: Machine) -> None:
    for _ in range(int(PATIENCE_SECONDS)):
        assert machine.clock.time(0, [machine.wall], "good") == machine.wall
        with pytest.raises(WrongClockError):
            machine.clock.time(0, [YEAR_2099], "odd")
        machine.wait(1)
    assert machine.clock.time(0, [YEAR_2099], "odd") == machine.wall


def test_failure_06_old_records_are_honest_work(machine: Machine) -> None:
    assert machine.time(0, 1, 2) == NOW
    assert machine.time(*[NOW - 1000 * DAY] * 500) == NOW


def test_failure_06_a_jump_ahead_and_back_leaves_no_trace(machine: Machine) -> None:
    assert machine.time() == NOW
    machine.wait(10)
    machine.wall = YEAR_2099
    for _ in range(5):
        with pytest.raises(WrongClockError, match=r"it jumped ahead by [\d,]+ minutes while the worker ran"):
            machine.time(NOW)
        machine.wait(100)
    machine.wall = NOW + 510_000
    assert machine.time(NOW) == NOW + 510_000


def test_failure_06_a_jump_that_records_confirm_is_none(machine: Machine) -> None:
    """A machine that slept."""
    machine.time()
    machine.wall += DAY
    assert machine.time(NOW + DAY - 1000) == NOW + DAY


def test_failure_06_a_jump_that_lasts_is_believed(machine: Machine) -> None:
    machine.time()
    machine.wall += DAY
    with pytest.raises(WrongClockError):
        machine.time()
    machine.wait(PATIENCE_SECONDS)
    assert machine.time() == machine.wall


def test_failure_06_a_step_back_is_smoothed_and_a_jump_back_is_wrong(machine: Machine) -> None:
    machine.time()
    machine.wall -= SLACK_MS
    assert machine.time() == NOW, "time never runs back within a partition"
    machine.wall -= 1
    with pytest.raises(WrongClockError, match=r"rows of .* are stored"):
        machine.time()


@given(st.lists(st.tuples(st.integers(-DAY, DAY), st.floats(0, 1000)), max_size=30))
def test_failure_06_time_never_runs_back_and_is_never_far_from_the_clock(steps: list[tuple[int, float]]) -> None:
    machine, before = Machine(), 0
    for jump, seconds in steps:
        machine.wait(seconds)
        machine.wall += jump
        try:
            time = machine.time()
        except WrongClockError:
            continue
        assert time >= before
        assert 0 <= time - machine.wall <= SLACK_MS
        before = time


def test_failure_06_a_file_from_the_future_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.touch()
    os.utime(file, (NOW / 1000, NOW / 1000))
    require_written(str(file), NOW)
    require_written(f"file://{file}", NOW + 1000 * DAY)
    require_written("-", NOW)
    with pytest.raises(WrongClockError, match=r"events.ndjson was written at 2027-01-15 .*`touch`"):
        require_written(str(file), NOW - SLACK_MS - 1)


def test_failure_06_commands_that_write_times_refuse_a_clock_before_the_release() -> None:
    assert require_clock(RELEASED_MS) == RELEASED_MS
    with pytest.raises(WrongClockError, match="correct the clock of this machine"):
        require_clock(RELEASED_MS - 1)


@pytest.mark.parametrize("record", [-(2**63), -1, NOW * 1000, NOW * 1_000_000, 2**63 - 1])
def test_failure_26_times_of_another_unit_say_nothing_about_the_clock(machine: Machine, record: int) -> None:
    assert machine.time(record, record, record, NOW) == NOW
    with pytest.raises(WrongClockError, match="most records that wait are of"):
        machine.time(record, record, record, YEAR_2099)
