"""Checks of what a plugin or a program hands over: each raises ValueError with one line that says what it has to be."""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def items(what: str, given: object, type_: type[T]) -> tuple[T, ...]:
    """What was given, as a tuple. Raises ValueError if it is not a list or tuple of the type."""
    if not isinstance(given, list | tuple):
        raise ValueError(f"{what} is {shown_type(given)}: it must be a list or tuple")
    for each in given:
        if not isinstance(each, type_):
            raise ValueError(f"{what} has {shown_type(each)}: each must be {_with_article(type_.__name__)}")
    return tuple(given)


def require_text(what: str, given: object, *, empty: bool = False) -> None:
    """Raise ValueError if it is not text that can be stored, or is empty and must not be."""
    if not isinstance(given, str):
        raise ValueError(f"{what} is {shown_type(given)}: it must be text")
    if not (given or empty):
        raise ValueError(f"{what} is empty: it must be text of at least one character")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} is {reprlib.repr(given)}, which UTF-8 cannot carry") from None


def require_function(what: str, given: object, *arguments: str, class_: bool = False) -> None:
    """Raise ValueError if it cannot be called with so many arguments, or is one that Python does not run when called.

    Args:
        arguments: their names, for the message.
        class_: whether a class will do: what it makes is what is wanted.
    """
    if not callable(given):
        raise ValueError(f"{what} is {shown_type(given)}: it must be a function of ({', '.join(arguments)})")
    if isinstance(given, type) and not class_:
        raise ValueError(f"{what} is {shown_type(given)}: it must be a function, or an object made of the class")
    if any(map(_is_async, (given, type(given).__call__))):
        raise ValueError(f"{what} is async: lpa calls it as a plain function")
    if not _takes(given, len(arguments)):
        raise ValueError(f"{what} cannot be called with ({', '.join(arguments)}), as lpa does: let it take just these")


def require_named_function(what: str, given: object, argument: str) -> None:
    """Raise ValueError if it cannot be called with one argument, or has no name for messages."""
    name = getattr(given, "__name__", None) if callable(given) and not isinstance(given, type) else None
    require_function(f"{what}: {name}" if isinstance(name, str) else what, given, argument)
    if is_generator_function(given):
        raise ValueError(f"{what}: {name} is a generator function: it must return its answer")
    if not isinstance(name, str):
        raise ValueError(f"{what} has {shown_type(given)}, which has no __name__ to tell it by: write a function")


def is_generator_function(given: object) -> bool:
    """Whether calling it only makes a generator, which does nothing by itself."""
    return inspect.isgeneratorfunction(given) or (callable(given) and inspect.isgeneratorfunction(type(given).__call__))


def shown_type(value: object) -> str:
    """What something is, for a message, without its content."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return _with_article(type(value).__name__)


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _with_article(name: str) -> str:
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _takes(function: Callable[..., object], count: int) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions of C have none
        return True
    try:
        signature.bind(*([None] * count))
    except TypeError:
        return False
    return True
