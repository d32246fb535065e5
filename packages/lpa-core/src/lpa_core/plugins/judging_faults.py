"""Validators, classifiers and shapes of plugins at work: the first fault of each is reported with the plugin's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, final

import attrs
import msgspec
import structlog

from lpa_core.events.event_type import EventType
from lpa_core.pipeline.pipeline import FailureClassifier
from lpa_core.plugins.plugin import Plugin, one_line, shortened
from lpa_core.replays import ReplayError
from lpa_core.validation.chain import FAULT, Validator
from lpa_core.validation.json_document import Document
from lpa_core.validation.plugin_verdict import WrongVerdictError, required_answer
from lpa_core.validation.reasons import Failure, Reason

_log = structlog.get_logger("lpa.plugins")


@final
@attrs.frozen
class Judging:
    """What of a plugin judges records.

    Attributes:
        validators: asked about all events.
        event_types: whose own validators are asked about events of that type alone.
        classify: None if it classifies no failures.
    """

    validators: Sequence[Validator]
    event_types: Sequence[EventType]
    classify: Callable[..., object] | None


@final
class FirstFault:
    """Reports a fault of a plugin when it is met for the first time."""

    def __init__(self, plugin: Plugin, event: str) -> None:
        self._plugin, self._event, self._told = plugin, event, False

    def tell(self, problem: str) -> None:
        if self._told:
            return
        self._told = True
        _log.warning(
            self._event,
            plugin=self._plugin.name,
            package=self._plugin.package,
            problem=problem,
            remedy=f"correct {self._plugin.package}, or set LPA_PLUGINS_DISABLED={self._plugin.name}",
        )


def told_validator(plugin: Plugin, validator: Validator) -> Validator:
    """The validator; what it raises is reported once and raised, as is a wrong answer."""
    name = validator.__name__
    fault = FirstFault(plugin, f"validator {name} failed; it rejects such events")

    def told(document: Document) -> Failure | None:
        try:
            return required_answer(validator(document))
        except (Exception, SystemExit) as error:  # whatever a third party's function raises
            fault.tell(shown_fault(error))
            raise

    told.__name__ = name
    return told


def told_classifier(plugin: Plugin, ask: Callable[..., object]) -> FailureClassifier:
    """The plugin's classifier; it never raises."""
    fault = FirstFault(plugin, "failure classifier failed; such failures stay as they were found")

    def classify(failure: Failure, payload: bytes | None) -> Failure | None:
        try:
            return required_answer(ask(failure=failure, payload=payload))
        except (Exception, SystemExit) as error:  # whatever a third party's hook raises
            fault.tell(shown_fault(error))
            return None

    return classify


def told_event_types(brought: Iterable[tuple[EventType, Plugin]]) -> FailureClassifier:
    """A classifier that changes nothing: it reports the first event of each type whose shape or validator raised."""
    found = [*brought]
    shapes: Final = {
        name: FirstFault(plugin, f"rows of event type {name} could not be made; such events are dead letters")
        for name, plugin in ((event_type.name, plugin) for event_type, plugin in found)
    }
    validators: Final = {
        (event_type.name, validator.__name__): FirstFault(
            plugin, f"validator {validator.__name__} of event type {event_type.name} failed; it rejects such events"
        )
        for event_type, plugin in found
        for validator in event_type.validators
    }

    def classify(failure: Failure, payload: bytes | None) -> None:
        if payload is None:
            return
        if failure.reason is Reason.PARSE_EXCEPTION:
            fault, problem = shapes.get(_type_of(payload)), str(failure.details)
        elif failure.reason is Reason.PLUGIN_VALIDATOR and (told := FAULT.match(str(failure.details))):
            fault, problem = validators.get((_type_of(payload), told[1])), told[2]
        else:
            return
        if fault is not None:
            fault.tell(shortened(" ".join(problem.split())))

    return classify


def shown_fault(error: BaseException) -> str:
    """What a validator, classifier or transform did instead of judging, in one line."""
    return str(error) if isinstance(error, WrongVerdictError | ReplayError) else f"raised {one_line(error)}"


def _type_of(payload: bytes) -> str:
    try:
        root: Any = msgspec.json.decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ""
    found = root.get("type") if isinstance(root, dict) else None
    return found if isinstance(found, str) else ""
