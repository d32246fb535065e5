"""The stand-in behaves as a sink must."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from lpa_core.tables.table import Table
from lpa_core.testing.doubles import MemorySink
from lpa_core.testing.sink_suite import (
    KnownGapsContract,
    NewestTimeContract,
    Place,
    SinkContract,
    StoredOffsetsContract,
)


@attrs.frozen
class Memory:
    kept: MemorySink = attrs.field(factory=MemorySink)

    def sink(self) -> MemorySink:
        return self.kept

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        return [
            tuple(value.decode() if isinstance(value, bytes) else value for value in row.values())
            for row in self.kept.tables[table.name]
        ]


class TestMemorySink(SinkContract, StoredOffsetsContract, NewestTimeContract):
    @pytest.fixture
    def place(self) -> Place:
        return Memory()


class TestKnownGapsOfMemory(KnownGapsContract):
    @pytest.fixture
    def place(self) -> Place:
        return Memory()
