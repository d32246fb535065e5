"""The sink on the embedded engine."""

from __future__ import annotations

import pytest

from lpa_core.testing.sink_suite import RefusalContract, SinkContract
from lpa_sinks.testing.places import ClickHousePlace


class TestEmbeddedSink(SinkContract, RefusalContract):
    @pytest.fixture
    def place(self, embedded: ClickHousePlace) -> ClickHousePlace:
        return embedded
