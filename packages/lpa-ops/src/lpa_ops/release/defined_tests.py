"""The tests that a repository defines, read from its files without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from lpa_ops.release.gate import CannotJudgeError

_FOLDERS: Final = ("packages", "tests")
_APART: Final = "tests/soak/"
"""Half an hour of load: no part of a release's reports."""


def defined_tests(root: Path) -> frozenset[str]:
    """Names as :class:`lpa_ops.release.junit.Case` has them. Raises CannotJudgeError if a file cannot be read."""
    files = [file for folder in _FOLDERS for file in sorted((root / folder).rglob("test_*.py"))]
    places = [file.relative_to(root).as_posix() for file in files]
    return frozenset(
        f"{place.removesuffix('.py').replace('/', '.')}.{name}"
        for file, place in zip(files, places, strict=True)
        if "tests" in file.parts and "/src/" not in place and not place.startswith(_APART)
        for name in _names(file)
    )


def _names(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError) as error:
        raise CannotJudgeError(f"{file}: its tests cannot be read: {error}") from None
    yield from _functions(tree.body)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from (f"{node.name}.{name}" for name in _functions(node.body))


def _functions(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield node.name
