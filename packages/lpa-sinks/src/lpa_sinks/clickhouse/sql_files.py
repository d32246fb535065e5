"""The SQL files of a package: the one place where they are read."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template
from typing import final

import attrs


@final
@attrs.frozen
class SqlFiles:
    """The files in a folder of a package, such as ``lpa_sinks.sink``."""

    package: str
    folder: str = "sql"

    def text(self, name: str) -> str:
        """The text of a file, as it stands."""
        return _text(self.package, self.folder, name)

    def fill(self, name: str, /, **parts: str) -> str:
        """The text of a file, with each ``$name`` in it replaced by the part of that name."""
        return Template(self.text(name)).substitute(parts)

    def names(self) -> list[str]:
        """The names of the files, in order."""
        return sorted(file.name for file in files(self.package).joinpath(self.folder).iterdir())


@cache
def _text(package: str, folder: str, name: str) -> str:
    return files(package).joinpath(folder, name).read_text(encoding="utf-8")
