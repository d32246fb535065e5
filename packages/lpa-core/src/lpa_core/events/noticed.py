"""Values of which it matters whether they were sent at all: a missing one is neither null nor empty."""

from __future__ import annotations

from typing import Annotated, Any, Union, final

import attrs
from msgspec import UNSET, UnsetType

from lpa_core.events.coercion import Unfit


@final
@attrs.frozen(slots=True)
class Noticed:
    """A rule for values that were sent. ``UNSET`` stands for one that was not, and stays."""

    rule: Any

    def __call__(self, value: Any, unfit: Unfit) -> Any:
        return value if value is UNSET else self.rule(value, unfit)


def noticed(annotation: Any, rule: Any) -> Any:
    """The annotated type, or ``UNSET``. ``rule`` coerces to the type."""
    return Annotated[Union[annotation, UnsetType], Noticed(rule)]  # noqa: UP007  # of types that are made at run time


def of_missing(annotation: Any) -> Any:
    """What coercion is given if nothing was sent."""
    return UNSET if any(isinstance(each, Noticed) for each in getattr(annotation, "__metadata__", ())) else None
