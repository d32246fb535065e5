"""How values are shown: untrusted text with every character visible, figures, times and sizes."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from markupsafe import Markup

from lpa_core.printable import printable
from lpa_core.time_window import shown as shown_time

_MOST: Final = 65_536
"""Characters of one value that a page shows; its file has the rest."""
_BRIEF: Final = 120
"""Characters of a value beside others."""
_QUOTED: Final = re.compile("`([^`]+)`")
_SENTENCE: Final = re.compile(r"(?<=[.:]) (?=[A-Z])")
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEPS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def visible(value: Any) -> str:
    """The text with an escape for each character that does not print, line breaks and tabs left as they are.

    Marks that change the direction of text are escaped too.
    """
    text = value if isinstance(value, str) else as_text(value)
    shown = whole(text[:_MOST])
    return shown if len(text) <= _MOST else f"{shown}\n... {len(text) - _MOST:,} more characters"


def whole(text: str) -> str:
    """All of the text, as ``visible`` shows its beginning: for what a form sends again."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def brief(text: str) -> str:
    """The beginning of a value, in one line."""
    shown = " ".join(visible(text[:_BRIEF]).split())
    return shown if len(text) <= _BRIEF else f"{shown}..."


def prose(text: str) -> Markup:
    """A message, with what stands between backticks as code."""
    parts = _QUOTED.split(visible(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else Markup.escape(part)
        for number, part in enumerate(parts)
    )


def name(value: Any) -> Markup:
    """A name of several words, which may go on in the next line after each underscore."""
    return Markup("_<wbr>").join(visible(value).split("_"))


def measured(value: float | None, unit: str) -> str:
    """A figure with its unit; shares as per cent."""
    if value is None:
        return ""
    return f"{value * 100:,.3g} %" if unit == "share" else f"{figure(value)} {unit}".rstrip()


def sentence(text: str) -> str:
    """The first sentence of a text."""
    return _SENTENCE.split(text, maxsplit=1)[0]


def as_text(value: Any) -> str:
    """Any value of a row as one text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | dict):
        return msgspec.json.encode(value).decode()
    return str(value)


def moment(value: datetime) -> str:
    """A time in UTC, to the second; empty for none."""
    return value.strftime("%Y-%m-%d %H:%M:%S") if value.year > 1970 else ""


def at(moment_ms: int) -> str:
    """A time in UTC of epoch ms, to the second."""
    return shown_time(moment_ms)[:19].replace("T", " ")


def epoch_ms(value: datetime) -> int:
    known = value if value.tzinfo else value.replace(tzinfo=UTC)
    return round(known.timestamp() * 1000)


def figure(value: float | None) -> str:
    """A number for people, with commas: every digit of a whole one, three of a fraction that say something."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:,.3g}"


def part(count: float, whole: float) -> str:
    """A share as per cent; empty if there is no whole."""
    return f"{count / whole * 100:,.3g} %" if whole else ""


def size(count: float) -> str:
    """Bytes in binary units."""
    step = 0
    while count >= 1024 and step < len(_UNITS) - 1:
        count, step = count / 1024, step + 1
    return f"{count:,.0f} {_UNITS[step]}" if step == 0 or count >= 100 else f"{count:,.1f} {_UNITS[step]}"


def age(seconds: float | None) -> str:
    """A duration in its largest unit, such as ``12 min``."""
    if seconds is None:
        return "-"
    for step, unit in _STEPS:
        if seconds >= step:
            return f"{seconds / step:,.0f} {unit}"
    return f"{max(seconds, 0):.1f} s" if seconds > 0 else "0 s"
