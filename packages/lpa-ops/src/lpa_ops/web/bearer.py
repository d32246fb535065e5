"""The token of a request: ``Authorization: Bearer TOKEN`` (RFC 6750 section 2.1)."""

from __future__ import annotations

import hmac


def is_bearer(authorization: str, token: str) -> bool:
    """Whether an Authorization header sends the token. Takes as long whichever character differs."""
    scheme, _, sent = authorization.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), token.encode())
