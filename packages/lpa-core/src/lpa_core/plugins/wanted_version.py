"""Whether the package of a plugin fits this version of lpa-core: pip looks too, unless somebody has it not look."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import Distribution, PackageNotFoundError, version
from operator import ge, gt, le, lt
from typing import Final

_REQUIREMENT: Final = re.compile(r"lpa[-_.]core\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(;.*)?", re.IGNORECASE)
_SPECIFIER: Final = re.compile(r"\s*(===|==|~=|!=|>=|<=|>|<)\s*([0-9]+(?:\.[0-9]+)*)(\.\*)?\s*")
_COMPARE: Final[dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]]] = {">=": ge, "<=": le, ">": gt, "<": lt}


def require_fitting(distribution: Distribution | None) -> None:
    """Raise ValueError if the package of a plugin requires another version of lpa-core than is installed.

    Versions that are not numbers and dots, and requirements with a marker, are left to pip.
    """
    try:
        installed = version("lpa-core")
    except PackageNotFoundError:  # it runs from its source
        return
    for requirement in (distribution.requires if distribution else None) or ():
        found = _REQUIREMENT.fullmatch(requirement)
        if found is not None and found[2] is None and not fits(installed, found[1]):
            package = distribution.name if distribution else "the plugin"
            raise ValueError(
                f"{package} requires lpa-core{found[1].strip()}, and {installed} is installed: install a version of "
                f"{package} for it"
            )


def fits(installed: str, specifiers: str) -> bool:
    """Whether a version is one of those that the specifiers name, such as ``>=0.2,<0.4``."""
    here = _numbers(installed)
    return all(_fits(here, specifier) for specifier in specifiers.split(",") if specifier.strip())


def _fits(here: tuple[int, ...], specifier: str) -> bool:
    parts = _SPECIFIER.fullmatch(specifier)
    if parts is None or not here:
        return True
    comparison, wanted, prefix = parts[1], _numbers(parts[2]), bool(parts[3])
    if comparison == "~=":
        return _padded(here, wanted) >= _padded(wanted, here) and here[: len(wanted) - 1] == wanted[:-1]
    if comparison in ("==", "===", "!="):
        same = here[: len(wanted)] == wanted if prefix else _padded(here, wanted) == _padded(wanted, here)
        return same is not (comparison == "!=")
    return _COMPARE[comparison](_padded(here, wanted), _padded(wanted, here))


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of a version's release, such as those of ``0.2.0rc1``; none if it begins with none."""
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()


def _padded(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return one + (0,) * (len(other) - len(one))
