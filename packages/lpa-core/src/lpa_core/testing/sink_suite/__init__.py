"""What every sink must do, as tests.

Subclass in a test module and say where the sink keeps its rows::

    class TestMySink(SinkContract):
        @pytest.fixture
        def place(self, tmp_path: Path) -> Place: ...

A sink whose database checks rows subclasses RefusalContract too, one whose tables can drift DriftContract, one that
can say which positions it holds StoredOffsetsContract, when it was written to last NewestTimeContract, which offsets
have no records KnownGapsContract, one that takes several ranges at once GatheringContract.

In a ``conftest.py``, ``pytest.register_assert_rewrite("lpa_core.testing.sink_suite")`` makes failures show values.
"""

from __future__ import annotations

from lpa_core.testing.sink_suite.drift import DriftContract
from lpa_core.testing.sink_suite.gathering import GatheringContract
from lpa_core.testing.sink_suite.place import OTHER_TABLE, TABLE, DriftingPlace, Place, RefusingPlace, Row, block, texts
from lpa_core.testing.sink_suite.refusal import RefusalContract
from lpa_core.testing.sink_suite.stored import KnownGapsContract, NewestTimeContract, StoredOffsetsContract
from lpa_core.testing.sink_suite.writing import SinkContract

__all__ = [
    "OTHER_TABLE",
    "TABLE",
    "DriftContract",
    "DriftingPlace",
    "GatheringContract",
    "KnownGapsContract",
    "NewestTimeContract",
    "Place",
    "RefusalContract",
    "RefusingPlace",
    "Row",
    "SinkContract",
    "StoredOffsetsContract",
    "block",
    "texts",
]
