"""Fix files and plans that an editor or a shell saved in another way."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.replays import ReplayRefused
from lpa_replay.fix.file import read_fix_file
from lpa_replay.planning.plan import read_plan
from lpa_replay.testing.place import FIX


def test_failure_23_a_byte_order_mark_in_a_fix_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "fix.toml").write_bytes(FIX.encode("utf-8-sig"))
    assert read_fix_file(tmp_path / "fix.toml").fixes


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_failure_23_a_fix_file_or_a_plan_in_utf_16_is_told_as_that(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(FIX.encode(encoding))
    for read in (read_fix_file, read_plan):
        with pytest.raises(ReplayRefused, match="file is UTF-16 text, or binary: save it as UTF-8"):
            read(file)
