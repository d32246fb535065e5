"""Something between a client and its server that answers in the server's place, for tests."""

from __future__ import annotations

from collections.abc import Collection
from typing import final

import attrs


@final
@attrs.define
class Portal:
    """A page that replies to requests with these methods; to none while there is no method.

    Attributes:
        status: such as ``200 OK``.
        query: it replies only to requests with this in their query; to all if it is empty.
        times: how many requests it replies to; None for all.
    """

    methods: Collection[str] = ()
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = ()
    page: bytes = b""
    query: str = ""
    times: int | None = None

    def answers(self, method: str, query: str) -> bool:
        """Whether it answers this request, which counts then."""
        if method not in self.methods or self.query not in query or self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True
