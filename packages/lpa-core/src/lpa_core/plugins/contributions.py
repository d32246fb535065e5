"""What one plugin brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import attrs

from lpa_core.events.event_type import EventType
from lpa_core.health.check import HealthCheck
from lpa_core.lifecycle.attribution import AttributionPolicy
from lpa_core.plugins.plugin import Plugin
from lpa_core.replays import ReplayTransform
from lpa_core.validation.chain import Validator
from lpa_core.validation.ignore_rules import IgnoreRule

if TYPE_CHECKING:
    import cyclopts


@final
@attrs.frozen(slots=True, eq=False)
class Brought:
    """What the hooks of a plugin returned, checked."""

    plugin: Plugin
    module: object
    event_types: tuple[EventType, ...]
    validators: tuple[Validator, ...]
    ignore_rules: tuple[IgnoreRule, ...]
    health_checks: tuple[HealthCheck, ...]
    replay_transforms: tuple[ReplayTransform, ...]
    commands: tuple[cyclopts.App, ...]
    attribution_policy: AttributionPolicy | None
    factories: Mapping[str, Mapping[str, Any]]
    """Hook -> URI scheme -> factory."""
