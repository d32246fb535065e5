"""One record, two records."""

from __future__ import annotations

from lpa_core.counted import counted


def test_one_is_no_plural() -> None:
    assert [counted(number, "record") for number in (0, 1, 2)] == ["0 records", "1 record", "2 records"]
    assert [counted(number, "byte waits", "bytes wait") for number in (1, 2000)] == ["1 byte waits", "2,000 bytes wait"]
