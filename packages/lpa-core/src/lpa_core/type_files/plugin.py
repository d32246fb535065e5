"""The plugin ``types``: what the files of ``LPA_EVENT_TYPES`` declare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lpa_core.events.event_type import EventType
from lpa_core.plugins.hookspecs import hookimpl
from lpa_core.settings.settings import Settings
from lpa_core.type_files.declarations import Declared, declared
from lpa_core.validation.ignore_rules import IgnoreRule


@hookimpl
def lpa_event_types(settings: Settings) -> Sequence[EventType]:
    return _declared(settings).event_types


@hookimpl
def lpa_ignore_rules(settings: Settings) -> Sequence[IgnoreRule]:
    return _declared(settings).ignore_rules


def _declared(settings: Settings) -> Declared:
    return declared(map(Path, settings.lpa.event_types)).required()
