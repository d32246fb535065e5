"""The assertions as a page, made of their files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lpa_sinks.parity.assertions import Assertion, assertions

_LAST_INVARIANT: Final = 79
"""In docs/spec/serving.md section 10."""
_ELSEWHERE: Final = {78: "archives are not tables: their reader reports gaps"}
_HEAD: Final = """\
# Parity

Assertions prove that events, facts, rollups and views agree. They are SQL queries that return the offending rows of a
window. `configs/assertions` holds them, ready for any client of ClickHouse; `lpa` runs them:

```sh
lpa check parity
lpa check parity --start 2026-01-08T00:00:00 --end 2026-01-09T00:00:00
lpa check parity sla_matches_facts facts_are_read_once --start 2026-01-08T10:00:00 --end 2026-01-08T12:00:00 --json
```

Exit status 1: an assertion of severity `fail` found something. Look at what `warn` finds; `info` needs nothing. If a
severity has two words, each row says which it is.

- The window is about event time, of whole hours best: views are hourly. `records_are_accounted_for` and
  `core_types_have_no_rejects` are about the time of arrival.
- Without `--start` and `--end` it checks the last `HEALTH_WINDOW_HOURS` that have events, are over and are derived.
  Its first line shows them. If there is no such hour yet, it checks nothing, says so, and exits with 1.
- Work in progress is seen half done: ask about hours that are over and derived.
- Two sessions of one `request_id`, or events under a wrong clock, are not faults of parity.

Made by `./dev pages` of the files.
"""


def markdown() -> str:
    """The page: what each assertion means, and which invariant is where."""
    explained = "\n\n".join(_explained(assertion) for assertion in assertions())
    return f"{_HEAD}\n## Assertions\n\n{explained}\n\n## Invariants\n\n{_invariants()}"


def _explained(assertion: Assertion) -> str:
    return (
        f"### {assertion.name}\n\n{assertion.severities.capitalize()}. {assertion.meaning}\n\nTo do: {assertion.to_do}."
    )


def _invariants() -> str:
    rows = "".join(f"| {number} | {', '.join(_where(number))} |\n" for number in range(1, _LAST_INVARIANT + 1))
    source = "[Serving, section 10](spec/serving.md#10-parity-invariants)"
    return f"Of {source}, by number.\n\n| invariant | assertion |\n|---|---|\n{rows}"


def _where(number: int) -> Iterator[str]:
    if number in _ELSEWHERE:
        yield _ELSEWHERE[number]
    for assertion in assertions():
        if number in assertion.covers:
            yield f"`{assertion.name}`"
