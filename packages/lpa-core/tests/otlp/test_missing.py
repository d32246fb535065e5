"""OTLP is asked for, and OpenTelemetry is not installed."""

from __future__ import annotations

import sys

import pytest
from prometheus_client import CollectorRegistry

from lpa_core.errors import ConfigurationError
from lpa_core.jobs.otlp_export import otlp_export


def test_failure_36_without_opentelemetry_the_job_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("lpa_core.otlp", "opentelemetry"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'lpa-core\[otel\]'"):
        otlp_export(CollectorRegistry(), "this-worker")
