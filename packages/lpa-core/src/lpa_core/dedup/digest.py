"""The fixed-size form of a dedup key in which stores keep it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

DIGEST_BYTES = 16
"""With ten thousand million keys held, the odds that any two share 128 bits are below 1 in 10**18."""


def digests(keys: Sequence[str]) -> list[bytes]:
    """BLAKE2b of each key's UTF-8 bytes, :data:`DIGEST_BYTES` long.

    A key may be up to 1 MB of a producer's text. The hash is cryptographic: an attacker
    with two keys of one digest could make a good event look like a duplicate. BLAKE2b has a
    digest size to choose and is fast without help from the processor.
    """
    return [blake2b(key.encode(), digest_size=DIGEST_BYTES).digest() for key in keys]
