"""What the pipeline makes of a record."""

from __future__ import annotations

from typing import Any, final

import msgspec

from lpa_core.events.envelope import Envelope
from lpa_core.events.event_type import Row
from lpa_core.events.times import DiscardedTime
from lpa_core.pipeline.reject_envelope import Rejected
from lpa_core.tables.table import Table


@final
class Accepted(msgspec.Struct, gc=False, frozen=True):
    """An event that may be stored once its dedup key is claimed.

    One is made per event: a struct that the garbage collector passes over.
    """

    envelope: Envelope
    raw: bytes
    dedup_key: str
    dedup_strategy: str
    rows: tuple[tuple[Table, Row], ...]
    """Typed rows without their leading columns."""
    unfit: int
    """Values that their columns could not hold and that were replaced by their fall-back: 0, empty or null."""
    discarded: tuple[DiscardedTime, ...] = ()
    """What times of its data look like that were not believed and left out."""
    data: Any = None
    """The record's ``data``, decoded into the event type's model: what the rows are made of."""


@final
class Ignored(msgspec.Struct, gc=False, frozen=True):
    """A record that a rule passes over: counted, not stored, no dead letter."""

    reason: str
    """The rule's (:mod:`lpa_core.validation.ignore_rules`)."""
    event_type: str
    event_subtype: str
    """``data.type``, or empty."""
    raw: bytes


Verdict = Accepted | Rejected | Ignored
