"""``ai_llm_request``: a request for a language model, with its tokens and times.

Rules: docs/spec/producers.md section 3.
"""

from __future__ import annotations

from lpa_core.job_events.job_columns import batch_columns
from lpa_core.plugin import Column, EventType, Kind, typed_table

TABLE = typed_table(
    "ai_llm_requests",
    *batch_columns(),
    Column("model", Kind.TEXT, at="model"),
    Column("finish_reason", Kind.TEXT, at="finish_reason", note="stop, length, error or unknown"),
    Column("prompt_tokens", Kind.INT64, nullable=True, at="prompt_tokens"),
    Column("completion_tokens", Kind.INT64, nullable=True, at="completion_tokens"),
    Column("total_tokens", Kind.INT64, nullable=True, at="total_tokens"),
    Column("total_duration_ms", Kind.INT64, nullable=True, at="total_duration_ms", note="milliseconds"),
    Column("ttft_ms", Kind.INT64, nullable=True, at="ttft_ms", note="milliseconds to the first token of a stream"),
    Column("tokens_per_second", Kind.FLOAT64, nullable=True, at="tokens_per_second"),
    Column("latency_score", Kind.FLOAT64, nullable=True, at="latency_score"),
    Column("price_per_unit", Kind.FLOAT64, nullable=True, at="price_per_unit", note="wei for a unit"),
    order_by=("org", "request_id"),
)

EVENT_TYPE = EventType("ai_llm_request", required=("data.type",), tables=(TABLE,), requires_object=True)
