"""A table of a TOML file that is taken apart, key by key, with a fault for whatever is not as it has to be."""

from __future__ import annotations

import reprlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar, final

from lpa_core.argument_checks import shown_type
from lpa_core.invisible import text_of
from lpa_core.settings.effective import nearest
from lpa_core.settings.toml_lines import Name, lines_of
from lpa_core.type_files.faults import DeclarationFault

T = TypeVar("T")

_SAID: Final = {str: "text", bool: "true or false", int: "a whole number", dict: "a table", list: "a list of texts"}


@final
class TomlFile:
    """The text of a file, and the faults that are found in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[DeclarationFault] = []
        self._text = ""

    @cached_property
    def _lines(self) -> Mapping[Name, int]:
        return lines_of(self._text)

    def read(self) -> TomlTable:
        """The whole content; empty, with a fault, if the file cannot be read."""
        table: dict[str, Any] = {}
        try:
            self._text = text_of(self.path.read_bytes())
            table = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            self._text = ""
            self.faults.append(DeclarationFault(self.path, *_parse_problem(error)))
        except OSError as error:
            self.faults.append(DeclarationFault(self.path, 0, f"cannot be read: {error.strerror}: check the path"))
        except RecursionError:
            self.faults.append(DeclarationFault(self.path, 0, "cannot be read as TOML: it is nested too deeply"))
        except ValueError as error:
            self.faults.append(DeclarationFault(self.path, 0, f"cannot be read as TOML: it {error}"))
        return TomlTable(self, (), table)

    def fault(self, name: Name, text: str) -> None:
        """Note what is wrong with a key, or with the nearest table around it."""
        while name and name not in self._lines:
            name = name[:-1]
        self.faults.append(DeclarationFault(self.path, self._lines.get(name, 0), " ".join(text.split())))


def _parse_problem(error: tomllib.TOMLDecodeError) -> tuple[int, str]:
    what, _, place = str(error).partition(" (at ")
    digits = place.removeprefix("line ").partition(",")[0]
    return (int(digits) if digits.isdigit() else 0), f"cannot be read as TOML: {what}{f' (at {place}' if place else ''}"


@final
class TomlTable:
    """A table under its name. A reader takes the keys that it knows; what is left over is a fault."""

    def __init__(self, file: TomlFile, name: Name, content: Mapping[str, Any]) -> None:
        self.name = name
        self._file, self._content = file, dict(content)
        self._taken: list[str] = []

    @property
    def faults(self) -> int:
        """How many there are in the file so far."""
        return len(self._file.faults)

    def fault(self, text: str, *below: str) -> None:
        """Note what is wrong with the table, or with a key in it."""
        self._file.fault((*self.name, *below), text)

    def tried(self, make: Callable[[], T], *below: str) -> T | None:
        """What a function makes; None, with a fault, if it raises ValueError."""
        try:
            return make()
        except ValueError as error:
            self.fault(str(error), *below)
            return None

    def take(self, key: str, type_: type[T], default: T) -> T:
        """The value of a key, or the default if it is missing or of another type, which is a fault."""
        self._taken.append(key)
        value = self._content.get(key, default)
        # A bool is an int to Python, and none in TOML.
        if isinstance(value, type_) and not (isinstance(value, bool) and type_ is not bool):
            return value
        self.fault(f"{key} is {_shown(value)}: it must be {_SAID[type_]}", key)
        return default

    def number(self, key: str) -> int | None:
        self._taken.append(key)
        return self.take(key, int, 0) if key in self._content else None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or one text."""
        if isinstance(self._content.get(key), str):
            return (self.take(key, str, ""),)
        found = self.take(key, list, [])
        for each in found:
            if not isinstance(each, str):
                self.fault(f"{key} has {_shown(each)}: each must be text", key)
        return tuple(each for each in found if isinstance(each, str))

    def table(self, key: str) -> TomlTable:
        return TomlTable(self._file, (*self.name, key), self.take(key, dict, {}))

    def tables(self) -> Iterator[tuple[str, TomlTable]]:
        """Every key with the table that it names."""
        for key in self._content:
            yield key, self.table(key)

    def text_lists(self) -> dict[str, tuple[str, ...]]:
        """Every key with its texts."""
        return {key: self.texts(key) for key in self._content}

    def all_texts(self) -> dict[str, str]:
        """Every key with its text."""
        return {key: self.take(key, str, "") for key in self._content}

    def has(self, key: str) -> bool:
        return key in self._content

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def value(self, key: str) -> Any:
        return self._content.get(key)

    def end(self) -> None:
        """Note each key that was not taken: nobody knows it."""
        for key in self._content:
            if key not in self._taken:
                self.fault(f"{key} has no meaning here; {nearest(key, self._taken)}", key)


def _shown(value: object) -> str:
    return reprlib.repr(value) if isinstance(value, str | int | float) else shown_type(value)
