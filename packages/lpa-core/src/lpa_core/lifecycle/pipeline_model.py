"""Pipeline and model of a session: which of what is known counts (docs/spec/lifecycle.md section 6)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from lpa_core.events.coercion import blank


class PipelineModelMode(StrEnum):
    """What producers put into ``data.pipeline``."""

    LEGACY_MISNAMED = "legacy_misnamed"
    """The label of a model: it never becomes a session's pipeline."""
    NATIVE_CORRECT = "native_correct"
    """The pipeline. ``native`` for short."""

    @classmethod
    def _missing_(cls, value: object) -> PipelineModelMode | None:
        return cls.NATIVE_CORRECT if value == "native" else None


DEFAULT_MODE: Final = PipelineModelMode.LEGACY_MISNAMED


def canonical_pipeline(pipeline: str, model: str) -> str:
    """The pipeline as facts show it: empty if it only repeats the model."""
    if blank(pipeline) or pipeline.lower() == model.lower():
        return ""
    return pipeline
