"""``ai_batch_request``: a request for a model, when it came in and when it was answered.

Rules: docs/spec/producers.md section 3.
"""

from __future__ import annotations

from lpa_core.job_events.job_columns import batch_columns
from lpa_core.plugin import Column, EventType, Kind, typed_table

TABLE = typed_table(
    "ai_batch_requests",
    *batch_columns(),
    Column("pipeline", Kind.LABEL, at="pipeline", note="such as text-to-image"),
    Column("model_id", Kind.TEXT, at="model_id"),
    Column("tries", Kind.UINT16, nullable=True, at="tries"),
    Column("duration_ms", Kind.INT64, nullable=True, at="duration_ms", note="milliseconds"),
    Column("latency_score", Kind.FLOAT64, nullable=True, at="latency_score"),
    Column("price_per_unit", Kind.FLOAT64, nullable=True, at="price_per_unit", note="wei for a unit"),
    Column("error_type", Kind.LABEL, at="error_type", note="bad_request, no_orchestrators, timeout or worker_error"),
    order_by=("org", "request_id"),
)

EVENT_TYPE = EventType(
    "ai_batch_request", required=("data.type", "data.pipeline"), tables=(TABLE,), requires_object=True
)
