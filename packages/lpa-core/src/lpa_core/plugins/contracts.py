"""Whether an object has what its contract names: attributes, and methods that lpa can call."""

from __future__ import annotations

import inspect
from typing import Any

from lpa_core.argument_checks import is_generator_function, require_function, shown_type


def require_methods(what: str, made: object, contract: type[Any]) -> None:
    """Raise ValueError if the object lacks part of a Protocol, or a method cannot be called as that says."""
    if made is None or isinstance(made, type):
        raise ValueError(f"{what} returned {shown_type(made)}: it must be {_article(contract)}")
    for name, promised in vars(contract).items():
        if name.startswith("_") or not (inspect.isfunction(promised) or isinstance(promised, property)):
            continue
        if isinstance(promised, property):
            if not hasattr(type(made), name):  # the property itself may block, or raise before it is time
                _require_attribute(what, made, name, contract)
            continue
        _require_attribute(what, made, name, contract)
        method = getattr(made, name)
        arguments = [each for each in inspect.signature(promised).parameters if each != "self"]
        require_function(f"{what}: {name} of {type(made).__name__}", method, *arguments)
        if is_generator_function(method):
            raise ValueError(f"{what}: {name} of {type(made).__name__} is a generator function: it would do nothing")


def _require_attribute(what: str, made: object, name: str, contract: type[Any]) -> None:
    if not hasattr(made, name):
        raise ValueError(f"{what} returned {shown_type(made)}, which has no {name}: it must be {_article(contract)}")


def _article(contract: type[Any]) -> str:
    return f"{'an' if contract.__name__[0] in 'AEIOU' else 'a'} {contract.__name__}"
