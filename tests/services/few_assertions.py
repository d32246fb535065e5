"""``lpa`` with three assertions of parity: ``python few_assertions.py ARGUMENT ...``.

A recovery asks all of them at its end, which takes longer than all else that it does, and only tells what they find.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lpa_core.cli import main
from lpa_sinks import parity
from lpa_sinks.parity import Assertion


def few() -> Callable[[], Sequence[Assertion]]:
    """Stands in for ``parity.assertions``."""
    some = parity.assertions()[:3]
    return lambda: some


def ask_few() -> None:
    """In this process and its forks."""
    parity.assertions = few()


if __name__ == "__main__":
    ask_few()
    main()
