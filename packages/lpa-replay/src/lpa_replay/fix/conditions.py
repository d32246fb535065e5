"""Which records a fix is for."""

from __future__ import annotations

import re
from typing import Any, Final, final

import attrs
import regex

from lpa_core.events.coercion import scalar_text
from lpa_core.replays import ReplayRecord
from lpa_replay.fix.paths import Path, slots

_SEARCH_SECONDS: Final = 1.0
_MOST_LATE: Final = 3
_MOST_EXPANDED: Final = 100_000
_TOKEN: Final = re.compile(r"\\.|\[(?:[^\]\\]|\\.)*+\]?+|[()]|\{(\d*)(?:,(\d*))?\}|.", re.DOTALL)


def _expanded(text: str) -> int:
    """How many characters a regular expression has if each number in braces is written out, as compiling does."""
    sizes, last = [0], 0
    for token in _TOKEN.finditer(text):
        if token[0] == "(":
            sizes.append(0)
        elif token[0] == ")" and len(sizes) > 1:
            last = sizes.pop() + 1
            sizes[-1] += last
        elif token[1] or token[2]:
            times = max(int(token[1] or 0), int(token[2] or 0), 1)
            sizes[-1] += last * (times - 1)
            last *= times
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)


@final
class Pattern:
    """A regular expression of a person: a search that takes too long ends, and after three that did no other starts."""

    def __init__(self, text: str, seconds: float = _SEARCH_SECONDS) -> None:
        """Raises ValueError if the text cannot be used as a regular expression."""
        try:
            re.compile(text)  # no syntax but Python's own
            if _expanded(text) > _MOST_EXPANDED:
                raise ValueError("matches repeats too much: write fewer or smaller numbers in braces")
            self._pattern = regex.compile(text)
        except (re.error, regex.error, RecursionError, OverflowError) as error:
            raise ValueError(f"matches is not a regular expression: {error}") from None
        self._seconds, self._late = seconds, 0

    def found(self, text: str) -> bool:
        """Whether the text has it anywhere. Raises ValueError if that takes too long to find out."""
        if self._late < _MOST_LATE:
            try:
                return self._pattern.search(text, timeout=self._seconds) is not None
            except TimeoutError:
                self._late += 1
        raise ValueError(
            f"matches = {self._pattern.pattern!r} takes longer than {self._seconds:g} s for a value: "
            "write it without repeats within repeats"
        )


@final
@attrs.frozen
class FailureCondition:
    """Each of them that is given has to be the record's; each can be one of several."""

    classes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    def holds(self, record: ReplayRecord) -> bool:
        return (
            (not self.classes or record.failure_class in self.classes)
            and (not self.reasons or record.failure_reason in self.reasons)
            and (not self.stages or record.failure_stage in self.stages)
            and (not self.types or record.event_type in self.types)
        )


@final
@attrs.frozen
class PayloadCondition:
    """Exactly one of ``missing``, ``equals`` and ``matches`` is given.

    A value is missing where its key is not there, or holds null or empty text. With ``*`` in the path one item of
    the array is enough.
    """

    path: Path
    missing: bool | None = None
    equals: Any = None
    matches: Pattern | None = None

    def holds(self, document: dict[str, Any]) -> bool:
        """Raises ValueError if that takes too long to find out."""
        values = [slot.holder.get(slot.key) for slot in slots(document, self.path)]
        if self.missing is not None:
            return self.missing == all(value in (None, "") for value in values)
        if self.matches is not None:
            return any(self.matches.found(scalar_text(value) or "") for value in values)
        return any(type(value) is type(self.equals) and value == self.equals for value in values)
