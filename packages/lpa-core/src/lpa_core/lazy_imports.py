"""Names of other modules that a public module offers, each imported when it is first asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def finder(public: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """The ``__getattr__`` of the module ``public``.

    Args:
        homes: module -> the names that it defines, separated by blanks; or a package -> modules in it.
    """
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def find(name: str) -> object:
        home = home_of.get(name)
        if home is None:
            raise AttributeError(f"module {public!r} has no attribute {name!r}")
        found: object = getattr(importlib.import_module(home), name, None)
        if found is None:
            found = importlib.import_module(f"{home}.{name}")
        setattr(sys.modules[public], name, found)
        return found

    return find
