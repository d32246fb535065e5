"""The sink on a server, over HTTP."""

from __future__ import annotations

import pytest

from lpa_core.testing.sink_suite import DriftContract, RefusalContract, SinkContract
from lpa_sinks.testing.places import ClickHousePlace


class TestServerSink(SinkContract, RefusalContract, DriftContract):
    @pytest.fixture
    def place(self, server: ClickHousePlace) -> ClickHousePlace:
        return server
