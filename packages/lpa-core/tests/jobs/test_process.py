"""What an ingesting process does to the interpreter, and what it leaves."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lpa_core.jobs.process import quiet_collector


@pytest.fixture(autouse=True)
def frozen_as_before() -> Iterator[None]:
    yield
    gc.freeze()


def test_the_collector_is_left_as_it_was() -> None:
    gc.unfreeze()
    thresholds = gc.get_threshold()
    with quiet_collector():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() != thresholds
    assert gc.get_threshold() == thresholds
    assert gc.get_freeze_count() == 0


def test_what_the_process_froze_itself_stays_frozen() -> None:
    """The number of frozen objects says nothing: those that nobody uses any longer go all the same."""
    kept: list[list[int]] = [[]]
    gc.freeze()
    with quiet_collector():
        pass
    assert not any(each is kept for each in gc.get_objects())
    gc.unfreeze()
    assert any(each is kept for each in gc.get_objects())


MAPPED = """
import ctypes, sys
from lpa_core.jobs.process import map_large_buffers

class Statistics(ctypes.Structure):
    _fields_ = [(f"field_{number}", ctypes.c_size_t) for number in range(10)]

ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
if ask is None:
    sys.exit("no mallinfo2")
ask.restype = Statistics
del [bytearray(16 << 20)][0]  # the library maps nothing smaller from here on
if "map" in sys.argv:
    map_large_buffers()
before = ask().field_4  # hblkhd: bytes in mapped buffers
held = [bytearray(1 << 20) for _ in range(8)]
print(ask().field_4 - before >> 20)
"""


def test_large_buffers_are_mapped_by_themselves() -> None:
    found = {}
    for wanted in ("as it is", "map"):
        done = subprocess.run([sys.executable, "-c", MAPPED, wanted], capture_output=True, text=True, check=False)
        if "no mallinfo2" in done.stderr:
            pytest.skip("this C library does not tell what it has mapped (glibc 2.33 and newer do)")
        assert not done.returncode, done.stderr
        found[wanted] = int(done.stdout)
    assert found == {"as it is": 0, "map": 8}
