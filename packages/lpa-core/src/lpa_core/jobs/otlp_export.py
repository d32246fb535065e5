"""Sends spans and metrics of a job over OTLP, if OpenTelemetry is installed."""

from __future__ import annotations

from contextlib import AbstractContextManager

from prometheus_client import CollectorRegistry

from lpa_core.delivery.observer import Observer
from lpa_core.errors import ConfigurationError


def otlp_export(registry: CollectorRegistry, instance: str) -> AbstractContextManager[Observer]:
    """What exports while it is open, and gives the observer that makes spans; ``instance`` names the process.

    Raises ConfigurationError if the library is missing; to open it raises ConfigurationError if a variable is wrong.
    """
    try:
        from lpa_core.otlp.exporting import exported
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise ConfigurationError("LPA_OTLP=on needs OpenTelemetry: pip install 'lpa-core[otel]'") from None
    return exported(registry, instance)
