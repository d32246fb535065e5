"""Columns that several families of jobs share (docs/spec/producers.md section 3)."""

from __future__ import annotations

from collections.abc import Mapping

from lpa_core.plugin import Address, Column, Kind

SUCCESS = (
    Column("success", Kind.UINT8, nullable=True, at="success", note="1 or 0"),
    Column("error", Kind.TEXT, nullable=True, at="error"),
)


def batch_columns() -> tuple[Column, ...]:
    """Of requests for models that gateways answer themselves."""
    return (
        Column("request_id", Kind.TEXT, at="request_id"),
        Column("gateway", Kind.TEXT, at="$.gateway"),
        Column("subtype", Kind.LABEL, at="type"),
        Column("orchestrator_url", Kind.TEXT, at="orch_url", note="the last one tried; empty: none"),
        *SUCCESS,
    )


def byoc_columns(
    subtype_by_key: Mapping[str, str] | None = None, *, capability_otherwise: str | None = None
) -> tuple[Column, ...]:
    """Of jobs that an orchestrator hands to a worker. A relayed event has no subtype: a key that it has tells it."""
    return (
        Column("request_id", Kind.TEXT, at="request_id", note="the sender of the job chooses it; often empty"),
        Column("gateway", Kind.TEXT, at="$.gateway"),
        Column("capability", Kind.TEXT, at="capability", otherwise=capability_otherwise),
        Column("subtype", Kind.LABEL, at="type", by_key=subtype_by_key or {}),
        Column("orchestrator_address", Kind.TEXT, at="orchestrator_info.address", reads=Address, note="lower-case"),
        Column("orchestrator_url", Kind.TEXT, at="orchestrator_info.url"),
        *SUCCESS,
    )
