"""A run may take a share of the long tests: all shares together are all tests, and each is in one of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from services.share import VARIABLE, is_in_share

COLLECTED = (
    *("-m", "slow or edges", "--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"),
    *("packages/lpa-ops/tests/backup", "tests/test_restores.py", "tests/edges"),
)
IN_EACH = "test_a_backup_of_what_a_kill_left_is_restored_and_gone_on_from"


def collected(share: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", *COLLECTED]
    done = subprocess.run(command, env={**os.environ, VARIABLE: share}, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "::" in line]


@pytest.mark.slow
def test_shares_are_all_of_the_long_tests_and_each_is_in_one() -> None:
    shares = [collected(f"{number}/3") for number in (1, 2, 3)]
    each = [test for test in shares[0] if test in shares[1]]
    assert any(test.endswith(IN_EACH) for test in each)
    assert all(test in shares[2] for test in each)
    of_one = [test for share in shares for test in share if test not in each]
    assert len(of_one) == len(set(of_one))
    assert sorted([*of_one, *each]) == sorted(collected(""))
    for share in shares:
        assert len({test.partition("[")[0] for test in share if "edges" in test}) > 5, "each edge is in each share"


@pytest.mark.parametrize("written", ["0/3", "4/3", "a third"])
def test_a_share_that_is_none_is_refused(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, written)
    with pytest.raises(ValueError, match=f"{VARIABLE}={written}: write it as NUMBER/SHARES"):
        is_in_share(0)
