"""Words that people in trouble stumble over, what to write instead, and each place that has one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]


class Banned(NamedTuple):
    expression: str
    """Regular expression of whole words, for any case and however lines break."""
    instead: str
    first: bool = False
    """Banned as the first word of a docstring only."""


BANNED: Final = {
    "anew": Banned("anew", "again, or rebuild"),
    "broken off": Banned("broken[ -]off", "interrupted"),
    "behind, in an order": Banned(
        "offsets? behind|behind the (?:end|last|first|offset|ranges?|record)|lies? behind", "after"
    ),
    "is no": Banned(
        r"(?<!there )(?:is|are|was|were) no(?! (?:more|less|longer|later|earlier)\b)", "is not a, or does not"
    ),
    "whoever": Banned("whoever", "the person or thing that is meant: the operator, the next worker"),
    "where, for if": Banned(
        r"raises? \w+(?:, \w+)*(?: or \w+)? where|(?:none|empty|null) where"
        r"|where (?:nothing|nobody|none|no|there (?:is|are|was|were))",
        "if",
    ),
    "is told": Banned("(?:is|are) told|told as", "receives, or is reported as"),
    "as far as": Banned("as far as", "up to, or if"),
    "nothing to judge": Banned("nothing to judge", "nothing could be judged"),
    "for want of": Banned("for want of", "because something is missing"),
    "for, for because": Banned(", for (?:it|they|there|nobody|nothing) [a-z]+", "because"),
    "begun": Banned("begun(?![:,])", "started"),
    "mend": Banned("mend(?:s|ed|ing)?", "repair, or correct"),
    "turned away": Banned("turn(?:s|ed)? away", "refuse"),
    "tell of": Banned("(?:tells?|told) of", "report"),
    "answer, for return": Banned(r"answers?(?= (?:how|what|where|whether|who|an?|the|None)\b)", "return"),
    "however": Banned("however (?:often|many|much|few|long|large|old|they|it)", "no matter how"),
    "answer, first": Banned("answers?", "return", first=True),
}
"""Name -> what it matches, and what to write instead."""


def found() -> Mapping[str, Collection[str]]:
    """Each place with banned words in it, and what to write instead."""
    places: dict[str, set[str]] = defaultdict(set)
    for place, text in texts():
        for name in banned_in(text, docstring=place.endswith(" docstring")):
            places[place].add(f"{name!r}: instead write {BANNED[name].instead}")
    return places


def banned_in(text: str, *, docstring: bool = False) -> dict[str, int]:
    """Name of what is banned -> how often it is in the text, if at all."""
    plain = " ".join(text.split())
    numbers = {
        name: len(re.findall(rf"{'^' if banned.first else ''}\b(?:{banned.expression})(?!\w)", plain, re.IGNORECASE))
        for name, banned in BANNED.items()
        if docstring or not banned.first
    }
    return {name: number for name, number in numbers.items() if number}


def texts() -> Iterator[tuple[str, str]]:
    """Place and text of all that people read: pages, docstrings, and what programs print."""
    pages = [path for pattern in ("*.md", "docs/**/*.md", "packages/*/README.md") for path in ROOT.glob(pattern)]
    for page in pages:
        yield page.relative_to(ROOT).as_posix(), page.read_text()
    for source in ROOT.glob("packages/*/src/**/*.py"):
        tree = ast.parse(source.read_text())
        docstrings = {id(text) for text in _docstrings(tree)}
        for text, of in _strings(tree):
            if " " in text:  # others are names, not language
                kind = "docstring" if id(of) in docstrings else "text"
                yield f"{source.relative_to(ROOT)}:{of.lineno}: {kind}", text


def _strings(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Each string of a module, with X for what an f-string puts in, and where it stands."""
    within: set[int] = set()
    for node in ast.walk(tree):  # what is around a string comes before it
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "X" for part in node.values]
            within |= {id(part) for part in node.values}
            yield "".join(map(str, parts)), node
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            yield node.value, node


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    """Strings that stand as a statement: those of modules, classes, functions and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
