"""``lpa`` in this process on standard streams of several kinds; what differs between two runs is made the same."""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, final

import attrs
import pytest

from lpa_core.cli import run

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_STEADY: Final[Mapping[str, str]] = {
    r"/tmp/lpa-terminal-[a-z0-9_]{8}": "/tmp/lpa-terminal-12345678",
    r"127\.0\.0\.1:\d{5}": "127.0.0.1:12345",
    r"(backup|savepoint)-\d{8}T\d{6}Z-[0-9a-f]{6}": r"\1-20260108T120000Z-abcdef",
    r"\b\d{8}T\d{6}-[0-9a-f]{6}\b": "20260108T120000-abcdef",
    r"\b20\d\d-(?!01-0[5-9])\d\d-\d\d([ T])\d\d:\d\d:\d\d(\.\d+)?": r"2026-11-29\g<1>12:00:00",
    r"(?m)^\d+\.\d s(, [\d,]+ events/s)$": "0.1 s, 2,000 events/s",
    r"(?m)^\d+\.\d s$": "0.1 s",
    r"\b[0-9a-f]{64}\b": "0" * 64,
    r"\b1\d{12}\b": "1767873600000",
    r"started_by( +)\S+": r"started_by\1somebody@somewhere",
    r"\b\d+\.\d+\.\d+(?=\n|  loaded)": "0.1.0",
    r"MB: \d+\.\d": "MB: 0.5",
}
"""What a run has in the place of what the snapshots have. Both are of one length, or lines would break elsewhere."""


@final
@attrs.frozen
class Kind:
    """A kind of standard output: its width, its encoding, and whether it is a terminal."""

    columns: int = 80
    encoding: str = "utf-8"
    terminal: bool = False
    no_colour: bool = False


@final
@attrs.frozen
class Shown:
    """How a command ended and what it printed; ``err`` is without what it logged."""

    status: int
    out: str
    err: str


@final
class Stream(io.TextIOWrapper):
    """What a command writes to."""

    def __init__(self, kind: Kind) -> None:
        self.written = io.BytesIO()
        super().__init__(self.written, encoding=kind.encoding, newline="\n", write_through=True)
        self._terminal = kind.terminal

    def isatty(self) -> bool:
        return self._terminal


@final
class Terminal:
    """Runs commands. What a command finds out or does is done once, however often it is shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._results: dict[str, list[Any]] = {}
        self._asked: dict[str, int] = {}
        self._within = False

    def remember(self, *names: str) -> None:
        """Have each of these functions, as ``module:name`` or ``module:class.name``, called for the first kind only."""
        for name in names:
            module, _, path = name.partition(":")
            holder: Any = importlib.import_module(module)
            *outer, last = path.split(".")
            for each in outer:
                holder = getattr(holder, each)
            self._patch.setattr(holder, last, self._once(name, getattr(holder, last)))

    def forget(self) -> None:
        self._results.clear()

    def lpa(self, words: list[str], kind: Kind) -> Shown:
        self._asked.clear()
        environment = {"COLUMNS": str(kind.columns), "TERM": "xterm-256color", "LPA_LOG_FORMAT": "json"}
        with self._patch.context() as patch:
            for variable, value in environment.items():
                patch.setenv(variable, value)
            if kind.no_colour:
                patch.setenv("NO_COLOR", "1")
            out, err = Stream(kind), Stream(attrs.evolve(kind, terminal=False))
            patch.setattr("sys.stdout", out)
            patch.setattr("sys.stderr", err)
            status = run(words)
        told = [line for line in _read(err).splitlines(keepends=True) if not line.startswith("{")]
        return Shown(status, _read(out), "".join(told))

    def _once(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def remembered(*arguments: Any, **named: Any) -> Any:
            if self._within:  # of another one, whose result is what counts
                return function(*arguments, **named)
            results = self._results.setdefault(name, [])
            number = self._asked.get(name, 0)
            self._asked[name] = number + 1
            if number == len(results):
                self._within = True
                try:
                    results.append(function(*arguments, **named))
                finally:
                    self._within = False
            found = results[number]
            return [*found] if isinstance(found, list) else found

        return remembered


def steady(text: str) -> str:
    """The text with all in it that is different in each run made the same."""
    for pattern, always in _STEADY.items():
        text = re.sub(pattern, always, text)
    return text


def without_colour(text: str) -> str:
    return _COLOUR.sub("", text)


def _read(stream: Stream) -> str:
    return stream.written.getvalue().decode(stream.encoding)
