"""``lpa.toml`` as it stands, with the line on which each option is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self, final

import attrs

from lpa_core.invisible import text_of
from lpa_core.settings.toml_lines import lines_of

SETTINGS_FILE: Final = "lpa.toml"


@final
@attrs.frozen
class SettingsFile:
    """What a file says.

    Attributes:
        present: whether there is anything at that path.
        table: its content; empty if it is not there or cannot be read.
        lines: name, such as ``quality.group_id`` -> number of the line on which it begins.
        problem: why it cannot be read; empty if it can, or is not there.
    """

    path: Path
    present: bool = False
    table: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    lines: Mapping[str, int] = attrs.field(factory=dict[str, int])
    problem: str = ""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises nothing: what is wrong with the file is its ``problem``."""
        try:
            text = text_of(path.read_bytes())
            table = tomllib.loads(text)
        except FileNotFoundError:
            return cls(path)
        except (OSError, tomllib.TOMLDecodeError, RecursionError) as error:
            return cls(path, present=True, problem=f"{path} cannot be read as TOML: {' '.join(str(error).split())}")
        except ValueError as error:
            return cls(path, present=True, problem=f"{path} cannot be read as TOML: it {error}")
        lines = {".".join(name): line for name, line in lines_of(text, headers=False).items()}
        return cls(path, present=True, table=table, lines=lines)

    def place(self, name: str) -> str:
        """Where an option is written, such as ``lpa.toml:3``."""
        line = self.lines.get(name)
        return f"{self.path}:{line}" if line else str(self.path)


def flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each value under its whole name: ``sasl.username = "x"`` without quotes is TOML for nested tables."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
