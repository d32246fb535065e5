"""Places in a JSON document: dotted names of keys; ``*`` stands for every item of an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

EVERY: Final = "*"


class Path(tuple[str, ...]):
    """The steps of a path; its text is how it is written."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Path:
        """Raises ValueError if a step is empty, or the last is not a key."""
        steps = text.split(".")
        if not all(steps):
            raise ValueError(
                f"{text!r} is not a path: write the names of keys with dots between them, such as data.pipeline"
            )
        if steps[-1] == EVERY:
            raise ValueError(f"{text!r} ends with {EVERY}: a path has to name a key")
        if steps[0].startswith("__replay"):
            raise ValueError(f"{text!r}: names that begin with __replay are the replay's own")
        return cls(steps)

    def __str__(self) -> str:
        return ".".join(self)


class Slot(NamedTuple):
    """A key of one object of a document, which may or may not be there."""

    holder: dict[str, Any]
    key: str

    @property
    def there(self) -> bool:
        return self.key in self.holder


def slots(document: dict[str, Any], path: Path) -> list[Slot]:
    """Where the path leads; none if an object on the way is missing."""
    return [Slot(holder, path[-1]) for holder in _holders(document, path[:-1])]


def made(document: dict[str, Any], path: Path) -> Slot:
    """The path's place, its missing objects made. Raises ValueError if something else is in the way."""
    holder = document
    for step in path[:-1]:
        found = holder.setdefault(step, {})
        if not isinstance(found, dict):
            raise ValueError(f"{path}: {step} is not an object")
        holder = found
    return Slot(holder, path[-1])


def _holders(value: Any, steps: Sequence[str]) -> Iterator[dict[str, Any]]:
    if not steps:
        if isinstance(value, dict):
            yield value
    elif steps[0] == EVERY:
        for item in value if isinstance(value, list) else ():
            yield from _holders(item, steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from _holders(value[steps[0]], steps[1:])
