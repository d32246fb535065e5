"""What decides about facts beside the stored events."""

from __future__ import annotations

from typing import final

import attrs

from lpa_core.lifecycle.attribution import AttributionPolicy, NearestSnapshot
from lpa_core.lifecycle.pipeline_model import DEFAULT_MODE, PipelineModelMode


@final
@attrs.frozen(slots=True)
class FoldRules:
    """How signals are attributed, and what ``data.pipeline`` is taken for. Other rules need a rebuild."""

    policy: AttributionPolicy = attrs.field(factory=NearestSnapshot)
    mode: PipelineModelMode = DEFAULT_MODE
