"""Words that people in trouble stumble over, what to write instead, and each place that has one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
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


_EXPRESSIONS: Final = {
    name: re.compile(rf"{'^' if banned.first else ''}\b(?:{banned.expression})(?!\w)", re.IGNORECASE)
    for name, banned in BANNED.items()
}


def banned_in(text: str, *, docstring: bool = False) -> dict[str, int]:
    """Name of what is banned -> how often it is in the text, if at all."""
    plain = " ".join(text.split())
    numbers = {
        name: len(_EXPRESSIONS[name].findall(plain)) for name, banned in BANNED.items() if docstring or not banned.first
    }
    return {name: number for name, number in numbers.items() if number}


@cache
def texts() -> Sequence[tuple[str, str]]:
    """Place and text of all that people read: pages, docstrings, and what programs print."""
    pages = [path for pattern in ("*.md", "docs/**/*.md", "packages/*/README.md") for path in ROOT.glob(pattern)]
    found = [(page.relative_to(ROOT).as_posix(), page.read_text()) for page in pages]
    for source in ROOT.glob("packages/*/src/**/*.py"):
        place = source.relative_to(ROOT)
        found += [(f"{place}:{line}: {kind}", text) for line, kind, text in _strings(ast.parse(source.read_text()))]
    return found


def _strings(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line and kind of each string of a module that is language, with X for what an f-string puts in."""
    within: set[int] = set()
    docstrings: set[int] = set()
    for node in ast.walk(tree):  # what is around a string comes before it
        if isinstance(node, ast.Expr):
            docstrings.add(id(node.value))  # of modules, classes, functions and attributes
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "X" for part in node.values]
            within |= {id(part) for part in node.values}
            text = "".join(map(str, parts))
            if " " in text:  # others are names
                yield node.lineno, "text", text
        elif isinstance(node, ast.Constant) and id(node) not in within:
            kind = "docstring" if id(node) in docstrings else "text"
            if isinstance(node.value, str) and " " in node.value:
                yield node.lineno, kind, node.value
