"""What tests of the delivery share."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog


@pytest.fixture
def quiet() -> Iterator[None]:
    """Log nothing."""

    def drop(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[drop])
    yield
    structlog.configure(**before)
