"""What an ingesting process does to the interpreter, and what it leaves."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from lpa_core.process import quiet_collector


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
    gc.freeze()
    before = gc.get_freeze_count()
    with quiet_collector():
        pass
    assert gc.get_freeze_count() >= before
