"""An event type made of another one, such as a plugin's with a validator more."""

from __future__ import annotations

import attrs

from lpa_core.events.event_type import EventType, typed_table
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.tables.table import Column, Kind
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure, Reason, schema_invalid

TABLE = typed_table("own", Column("a", Kind.TEXT, at="a"), order_by=())
RECORD = b'{"id":"e","type":"own","timestamp":1767873600000,"data":{"a":"one"}}'


def refuse(document: Document) -> Failure | None:
    return schema_invalid(Reason.PLUGIN_VALIDATOR, "never")


def test_a_type_of_columns_can_be_changed_and_is_read_as_before() -> None:
    plain = EventType("own", tables=(TABLE,), requires_items=False)
    assert plain.model is None, "what was declared; lpa's own model is no part of it"
    checked = attrs.evolve(plain, validators=(refuse,))
    assert isinstance(Pipeline([plain]).validate(RECORD), Accepted)
    rejected = Pipeline([checked]).validate(RECORD)
    assert not isinstance(rejected, Accepted)
    assert isinstance(Pipeline([attrs.evolve(checked, validators=())]).validate(RECORD), Accepted)
