"""The share of many cases that one run takes: ``TEST_SHARE=2/3`` is the second of three, unset is all.

CI takes another share with every commit. Each run has cases of every kind, and so many commits in a row have all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")
VARIABLE: Final = "TEST_SHARE"


def is_in_share(number: int) -> bool:
    """Whether this run takes the case of that number."""
    share = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", os.environ.get(VARIABLE, "") or "1/1")
    if share is None or int(share[1]) > int(share[2]):
        raise ValueError(f"{VARIABLE}={os.environ[VARIABLE]}: write it as NUMBER/SHARES, such as 2/3")
    return number % int(share[2]) == int(share[1]) - 1


def in_share(cases: Sequence[T]) -> list[T]:
    """The cases that this run takes, in their order."""
    return [case for number, case in enumerate(cases) if is_in_share(number)]
