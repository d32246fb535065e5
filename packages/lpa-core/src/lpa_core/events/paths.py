"""Where in an event a column finds its value, as a path in text.

``state`` is an attribute of the event's data, ``inference_status.fps`` one of an object in it, and
``stats.track_stats[type=video].jitter`` one of the last item of an array whose ``type`` is ``video``. The texts of
``models[].name`` are those of all items, each once, joined by commas. Where an event makes a row for each item of its
data, paths begin at the item. ``$.gateway`` is of the envelope. In a table with a row for each item of an array paths
begin at the item, and ``$.data.sensor`` is an attribute of the data around it.
"""

from __future__ import annotations

import re
from typing import Final, final

import attrs

ENVELOPE: Final = ("type", "id", "timestamp", "gateway", "version")
"""What of the envelope columns may have. The timestamp is the event's time, epoch ms."""

_OF_ENVELOPE: Final = "$."
_OF_DATA: Final = "$.data."
_STEP: Final = re.compile(r"([^.\[\]=$]+)(?:\[([^.\[\]=]+)=([^\[\]]+)\]|(\[\]))?(?:\.(?=.)|$)")


@final
@attrs.frozen(slots=True)
class PathStep:
    """An attribute; where it is an array, ``key`` and ``value`` say which of its items is meant, or ``each`` all."""

    name: str
    key: str = ""
    value: str = ""
    each: bool = False

    @property
    def of_array(self) -> bool:
        return self.each or bool(self.key)


def of_envelope(path: str) -> str | None:
    """The envelope's attribute that the path means; None for a path into the data. Raises ValueError."""
    if not path.startswith(_OF_ENVELOPE) or path.startswith(_OF_DATA):
        return None
    name = path.removeprefix(_OF_ENVELOPE)
    if name not in ENVELOPE:
        raise ValueError(f"{path!r}: an envelope has {', '.join(_OF_ENVELOPE + each for each in ENVELOPE)}")
    return name


def steps(path: str) -> tuple[PathStep, ...]:
    """The steps of a path, without ``$.data.`` that it may begin with. Raises ValueError if it is none."""
    return _steps(path.removeprefix(_OF_DATA))


def array_steps(path: str) -> tuple[PathStep, ...]:
    """The steps to an array whose items make rows. Raises ValueError if the path is none."""
    found = _steps(path) if path and not path.startswith(_OF_ENVELOPE) else ()
    if not found or any(step.of_array for step in found):
        raise ValueError(f"each is {path!r}: write the path of one array, like a.b")
    return (*found[:-1], PathStep(found[-1].name, each=True))


def begins_in_item(path: str, each: str) -> bool:
    """Whether a path of a table's column begins at an item of the array that the table names."""
    return bool(each) and not path.startswith(_OF_DATA)


def steps_from_data(path: str, each: str) -> tuple[PathStep, ...]:
    """The steps of a table's path from the data on; ``each`` is the table's. Raises ValueError."""
    return (*(array_steps(each) if begins_in_item(path, each) else ()), *steps(path))


def _steps(path: str) -> tuple[PathStep, ...]:
    found, position = [], 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            break
        found.append(PathStep(step[1], step[2] or "", step[3] or "", bool(step[4])))
        position = step.end()
    if not found or position < len(path) or found[-1].of_array:
        raise ValueError(f"{path!r} is not a path: write it like a.b, or a.b[type=video].c for an item of an array")
    if any(step.each for step in found[:-2]):
        raise ValueError(f"{path!r}: after [] comes the name of a text")
    return tuple(found)
