"""Looks at the plugins that are not lpa's own: what each brings, how long its hooks take, and how it judges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, final

import attrs

from lpa_core.events.event_type import EventType
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.generate.generator import generate
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.plugins.example_event import example_event
from lpa_core.plugins.judging_faults import Judging, shown_fault
from lpa_core.plugins.manager import PluginManager
from lpa_core.plugins.plugin import Plugin
from lpa_core.records import Position
from lpa_core.replays import ReplayRecord, ReplayTransform, required_bytes
from lpa_core.validation.chain import Validator
from lpa_core.validation.json_document import Document, decoded
from lpa_core.validation.plugin_verdict import WrongVerdictError, required_answer
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

SLOW_SECONDS: Final = 0.5
"""A hook that takes longer slows each command down."""
_ODD: Final = (b'{"type": "stream_trace"}', b'{"type": 5, "data": []}', b'{"data": {"stream_id": {}}}')


@final
@attrs.frozen
class CheckedPlugin:
    """What was found of a plugin.

    Attributes:
        seconds: what was called -> how long it took: ``import`` and each hook.
        problems: what is wrong, a line each; empty if all is well.
        warnings: what is right and may still not be meant.
    """

    plugin: Plugin
    seconds: Mapping[str, float]
    problems: Sequence[str]
    warnings: Sequence[str]


def checked_plugins(plugins: PluginManager) -> list[CheckedPlugin]:
    """What is found of each plugin that is not lpa's own and not switched off."""
    return [
        _checked(
            plugin,
            plugins.seconds(plugin),
            plugins.judging(plugin),
            [transform for owner, transform in plugins.replay_transforms() if owner is plugin],
        )
        for plugin in plugins.foreign()
        if not plugin.disabled
    ]


def _checked(
    plugin: Plugin, seconds: Mapping[str, float], judging: Judging, transforms: Sequence[ReplayTransform]
) -> CheckedPlugin:
    """Judge some events, well-formed and odd ones, with all that the plugin judges by; say what is slow or wrong."""
    if plugin.problem:
        return CheckedPlugin(plugin, seconds, [plugin.problem], [])
    wrong, raised = _own_validators(judging.event_types)
    problems = [
        *_validators(judging.validators),
        *wrong,
        *_classifier(judging.classify),
        *_transforms(transforms),
    ]
    slow = [
        f"{name} takes {took:.1f} s: import and connect later" for name, took in seconds.items() if took > SLOW_SECONDS
    ]
    return CheckedPlugin(plugin, seconds, problems, [*slow, *raised])


def _validators(validators: Sequence[Validator]) -> Iterator[str]:
    """The first fault of each. The odd documents are such as no built-in validator lets pass, but for their type."""
    types = {event_type.name: event_type for event_type in BUILTIN_EVENT_TYPES}
    documents = [Document(decoded(record), types) for record in generate(60, duplicates=0, bad=0, sessions=2, seed=1)]
    for validator in validators:
        for document in documents:
            try:
                required_answer(validator(document))
            except (Exception, SystemExit) as error:  # whatever a third party's function raises
                kind = document.text("type")
                yield f"validator {validator.__name__} {shown_fault(error)}; at a good event of type {kind}"
                break


def _own_validators(event_types: Sequence[EventType]) -> tuple[list[str], list[str]]:
    """Wrong answers of the validators of event types, and what they raise.

    Each is asked about an event of its own type. It has what the type declares: a validator may expect more.
    """
    wrong, raised = [], []
    for event_type in event_types:
        document = Document(example_event(event_type), {event_type.name: event_type})
        for validator in event_type.validators:
            named = f"validator {validator.__name__} of event type {event_type.name}"
            try:
                required_answer(validator(document))
            except WrongVerdictError as error:
                wrong.append(f"{named} {shown_fault(error)}")
            except (Exception, SystemExit) as error:  # whatever a third party's function raises
                raised.append(f"{named} {shown_fault(error)} at an event made of what the type declares")
    return wrong, raised


def _classifier(classify: Callable[..., object] | None) -> Iterator[str]:
    """The first fault, of failures of each reason, with and without a payload."""
    if classify is None:
        return
    for reason in Reason:
        for payload in (None, b"", b"\x00\xff", *_ODD):
            failure = Failure(Stage.SCHEMA_VALIDATION, FailureClass.SCHEMA_INVALID, reason, "an example")
            try:
                required_answer(classify(failure=failure, payload=payload))
            except (Exception, SystemExit) as error:  # whatever a third party's hook raises
                yield f"lpa_classify_failure {shown_fault(error)}; at {reason} with {payload!r}"
                return


def _transforms(transforms: Sequence[ReplayTransform]) -> Iterator[str]:
    """The first fault of each, at records as the built-in event types reject them."""
    records = [*_dead_letters()] if transforms else []
    for transform in transforms:
        for record in records:
            try:
                required_bytes(transform(record))
            except (Exception, SystemExit) as error:  # whatever a third party's function raises
                yield (
                    f"transform {transform.__name__} {shown_fault(error)}; "
                    f"at {record.failure_reason} with {record.payload[:100]!r}"
                )
                break


def _dead_letters() -> Iterator[ReplayRecord]:
    pipeline = Pipeline(BUILTIN_EVENT_TYPES)
    for offset, payload in enumerate(generate(60, duplicates=0, bad=0.9, sessions=1, seed=1)):
        position = Position("events", 0, offset)
        verdict = pipeline.process(payload, position)
        if isinstance(verdict, Rejected):
            failure = verdict.failure
            yield ReplayRecord(
                payload,
                position,
                failure.stage.value,
                failure.failure_class.value,
                failure.reason.value,
                failure.details,
                verdict.event_type or "",
            )
