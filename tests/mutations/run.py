"""Damages copies of the packages one by one, and asks whether the tests that ``mutations.toml`` names notice each.

    ./dev mutations [PART OF A DESCRIPTION ...]

A mutation is noticed if one of its tests fails. Before that all named tests have to pass on an undamaged copy: a test
that fails anyway notices nothing. Ends with status 1 if a mutation is not noticed, or does not apply.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
import cattrs

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = sorted(ROOT.glob("packages/*/src"))
AT_ONCE: Final = 2
SECONDS: Final = 600
"""A mutation that makes a test wait for ever counts as noticed."""
NO_TESTS_RAN: Final = 5


@attrs.frozen
class Mutation:
    what: str
    before: str
    after: str
    tests: list[str]


def main(wanted: Sequence[str]) -> int:
    chosen = [each for each in mutations() if not wanted or any(part in each.what for part in wanted)]
    everything = sorted({test for each in chosen for test in each.tests})
    with copied() as sources:
        failure = failure_of(sources, everything, 3 * SECONDS, "--numprocesses=2", "--dist=worksteal")
    if failure:
        print(f"{failure}\nthe tests fail without any mutation: mend them first")
        return 1
    with ThreadPoolExecutor(AT_ONCE) as threads:
        results = list(threads.map(result, chosen))
    missed = [each for each, noticed in zip(chosen, results, strict=True) if not noticed]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} mutations are noticed")
    return 1 if missed else 0


def mutations() -> list[Mutation]:
    tables = tomllib.loads(Path(__file__).with_name("mutations.toml").read_text())["mutation"]
    return [cattrs.structure({**table, "before": table["from"], "after": table["to"]}, Mutation) for table in tables]


def result(mutation: Mutation) -> bool:
    with copied() as sources:
        try:
            where = damage(sources, mutation)
        except LookupError as error:
            print(f"DOES NOT APPLY  {mutation.what}: {error}", flush=True)
            return False
        noticed = failure_of(sources, mutation.tests, SECONDS) != ""
    print(f"{'noticed   ' if noticed else 'NOT NOTICED'}  {mutation.what} ({where})", flush=True)
    return noticed


def damage(sources: Sequence[Path], mutation: Mutation) -> Path:
    """Change the one file that has the text, and return which. Raises LookupError unless it stands exactly once."""
    found = [
        (path, source)
        for source in sources
        for path in sorted([*source.rglob("*.py"), *source.rglob("*.sql")])
        if mutation.before in path.read_text()
    ]
    if len(found) != 1 or found[0][0].read_text().count(mutation.before) != 1:
        raise LookupError(f"its text stands in {len(found)} files; it has to stand once: change mutations.toml")
    ((path, source),) = found
    path.write_text(path.read_text().replace(mutation.before, mutation.after))
    return path.relative_to(source)


@contextmanager
def copied() -> Iterator[Sequence[Path]]:
    """The packages' sources in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copies = [Path(folder, source.parent.name) for source in SOURCES]
        for source, copy in zip(SOURCES, copies, strict=True):
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        yield copies


def failure_of(sources: Sequence[Path], tests: Sequence[str], seconds: int, *options: str) -> str:
    """What the tests print that fail with the packages as they are in ``sources``; nothing if they pass."""
    command = [sys.executable, "-m", "pytest", "--quiet", "--exitfirst", "--no-header", "-p", "no:cacheprovider"]
    command += ["-m", "not integration and not chaos and not soak"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, sources)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            [*command, "-p", "no:randomly", *options, *tests],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no end within {seconds} s"
    if done.returncode == NO_TESTS_RAN or done.returncode > 1:
        raise SystemExit(f"pytest {' '.join(tests)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr}")
    return done.stdout[-3000:] if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
