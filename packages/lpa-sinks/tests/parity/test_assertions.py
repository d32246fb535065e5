"""The assertions: where they are and what they cover."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lpa_sinks.parity import assertions

HERE: Final = Path(__file__).parent
CONFIGS: Final = HERE.parents[3] / "configs"
NOT_IN_SQL: Final = {78}
"""Archives are no tables: their reader finds gaps (tests/archive)."""


def test_the_files_that_are_shown_are_those_that_are_run() -> None:
    shown = {path.stem: path.read_text() for path in (CONFIGS / "assertions").glob("*.sql")}
    assert shown == {assertion.name: assertion.text for assertion in assertions()}


def test_every_invariant_is_covered() -> None:
    covered = {number for assertion in assertions() for number in assertion.covers}
    assert covered | NOT_IN_SQL == set(range(1, 80))
    assert not covered & NOT_IN_SQL


def test_every_assertion_is_damaged_for() -> None:
    damages = "".join(path.read_text() for path in HERE.glob("test_damaged_*.py"))
    assert [each.name for each in assertions() if not re.search(rf'"{each.name}"', damages)] == []
