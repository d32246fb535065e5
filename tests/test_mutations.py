"""The damages of ``./dev mutations`` can be made to the packages as they are, and name tests that are there."""

from __future__ import annotations

from pathlib import Path

from mutations.run import ROOT, SOURCES, mutations

ENOUGH = 40


def test_each_damage_applies_once_and_names_tests_that_exist() -> None:
    texts = [
        path.read_text()
        for source in SOURCES
        for path in [*source.rglob("*.py"), *source.rglob("*.sql")]
        if "__pycache__" not in path.parts
    ]
    wrong = []
    for mutation in mutations():
        if (times := sum(text.count(mutation.before) for text in texts)) != 1:
            wrong.append(f"{mutation.what}: its text stands {times} times")
        if mutation.before == mutation.after:
            wrong.append(f"{mutation.what}: damages nothing")
        missing = [test for test in mutation.tests if not Path(ROOT, test.partition("::")[0]).exists()]
        if missing or not mutation.tests:
            wrong.append(f"{mutation.what}: no such tests: {missing}")
    assert not wrong
    assert len({mutation.what for mutation in mutations()}) >= ENOUGH
