"""The sink on the embedded engine."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from lpa_core.testing.sink_suite import TABLE, RefusalContract, SinkContract, block


class TestEmbeddedSink(SinkContract, RefusalContract):
    @pytest.fixture
    def place(self, embedded: Any) -> Any:
        return embedded
