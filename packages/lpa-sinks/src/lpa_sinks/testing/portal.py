"""Something between a client and its server that answers in the server's place, for tests."""

from __future__ import annotations

from collections.abc import Collection
from typing import final

import attrs


@final
@attrs.define
class Portal:
    """Answers requests by these methods with its page; none while there is no method.

    Attributes:
        status: such as ``200 OK``.
    """

    methods: Collection[str] = ()
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = ()
    page: bytes = b""
