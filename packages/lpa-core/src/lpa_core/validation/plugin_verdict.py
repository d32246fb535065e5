"""What a plugin's validator or classifier answered, made sure of."""

from __future__ import annotations

from typing import Final

from lpa_core.argument_checks import shown_type
from lpa_core.errors import JobFailed
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage, is_failure

_PARTS: Final = {"stage": Stage, "failure_class": FailureClass, "reason": Reason, "details": str}


class WrongVerdictError(JobFailed):
    """A validator or classifier gave a wrong answer. One line that says what it was, and what it has to be."""


def required_answer(answer: object) -> Failure | None:
    """The answer of a validator or classifier. Raises WrongVerdictError if it is none."""
    if answer is None or is_failure(answer):
        return answer
    raise WrongVerdictError(f"returned {_shown(answer)}")


def _shown(answer: object) -> str:
    if isinstance(answer, Failure):
        for name, kind in _PARTS.items():
            part: object = getattr(answer, name)
            if not isinstance(part, kind):
                wanted = "text" if kind is str else f"one of {kind.__name__}"
                return f"a Failure whose {name} is {shown_type(part)}: it must be {wanted}"
    return f"{shown_type(answer)}: it must return None or a Failure"
