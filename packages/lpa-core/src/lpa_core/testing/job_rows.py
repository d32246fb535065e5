"""Jobs to fold: their rows told one by one, and hypothesis strategies for all that may happen to a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from hypothesis import strategies as st
from msgspec.structs import replace

from lpa_core.job_facts.job_rows import (
    BatchRow,
    GatewayRow,
    JobRow,
    JobRows,
    LlmRow,
    OrchestratorRow,
    PaymentRow,
    Row,
)
from lpa_core.job_facts.workers import Registration
from lpa_core.testing.lifecycle_strategies import times, urls, wallets


@final
class JobStory:
    """The rows of one job, in the order of their telling; times are epoch ms."""

    def __init__(self, request_id: str = "r", **same: Any) -> None:
        self._same: dict[str, Any] = {"request_id": request_id, "gateway": "gateway", **same}
        self._told = 0
        self.rows = JobRows()

    def batch(self, time: int, step: str, **values: Any) -> BatchRow:
        """``step`` is received or completed."""
        told = {"subtype": f"ai_batch_request_{step}", "pipeline": "llm", "model_id": "m"}
        row = self._row(BatchRow, time, **{**told, **values})
        self.rows.batch.append(row)
        return row

    def llm(self, time: int, subtype: str, **values: Any) -> LlmRow:
        row = self._row(LlmRow, time, subtype=subtype, **values)
        self.rows.llm.append(row)
        return row

    def gateway(self, time: int, step: str, **values: Any) -> GatewayRow:
        """``step`` is submitted or completed."""
        told = {"subtype": f"job_gateway_{step}", "capability": "chat"}
        row = self._row(GatewayRow, time, **{**told, **values})
        self.rows.gateway.append(row)
        return row

    def orchestrator(self, time: int, step: str, **values: Any) -> OrchestratorRow:
        """``step`` is received or worker_result."""
        told = {"subtype": f"job_orchestrator_{step}", "capability": "chat"}
        row = self._row(OrchestratorRow, time, **{**told, **values})
        self.rows.orchestrator.append(row)
        return row

    def charge(self, time: int, elapsed_seconds: int, price_per_unit: int, **values: Any) -> PaymentRow:
        told = {"subtype": "payment_compute_charged", "capability": "chat"}
        charged = {"elapsed_seconds": elapsed_seconds, "price_per_unit": price_per_unit}
        row = self._row(PaymentRow, time, **{**told, **charged, **values})
        self.rows.payments.append(row)
        return row

    def _row(self, kind: Callable[..., Row], time: int, **values: Any) -> Row:
        self._told += 1
        uid = f"uid-{self._told}"
        given = {**_NOTHING, "source_event_uid": uid, "offset": self._told, **self._same, **values}
        return kind(event_timestamp=time, **given)


_NOTHING: Final[dict[str, Any]] = {
    "topic": "events",
    "partition": 0,
    "orchestrator_url": "",
    "success": None,
    "error": None,
}

_FLAGS: Final = st.sampled_from((None, 0, 1))
_NUMBERS: Final = st.sampled_from((None, -1, 0, 3, 2**63 - 1))
_CAPABILITIES: Final = st.sampled_from(("chat", "sdxl"))


def _rows(kind: type[JobRow], subtypes: tuple[str, ...], **values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(
        st.builds(
            kind,
            event_timestamp=times,
            source_event_uid=st.integers(0, 40).map(lambda number: f"{kind.__name__}-{number}"),
            topic=st.just("events"),
            partition=st.integers(0, 1),
            offset=st.integers(0, 99),
            request_id=st.just("r"),
            gateway=st.sampled_from(("one", "two", "")),
            subtype=st.sampled_from(subtypes),
            orchestrator_url=urls,
            success=_FLAGS,
            error=st.sampled_from((None, " ", "broken")),
            **values,
        ),
        max_size=4,
        unique_by=lambda row: row.source_event_uid,
    )


_GATEWAY: Final = ("job_gateway_submitted", "job_gateway_completed", "job_orchestrator_token_fetch_result")
_ORCHESTRATOR: Final = ("job_orchestrator_received", "job_orchestrator_worker_result", "")

job_rows: Final[st.SearchStrategy[JobRows]] = st.builds(
    JobRows,
    batch=_rows(
        BatchRow,
        ("ai_batch_request_received", "ai_batch_request_completed", "odd"),
        model_id=st.sampled_from(("sdxl", "llama", "")),
        error_type=st.sampled_from(("", "no_orchestrators", "timeout")),
        tries=st.sampled_from((None, 0, 2)),
        duration_ms=_NUMBERS,
    ),
    llm=_rows(
        LlmRow,
        ("llm_request_started", "llm_request_completed", "llm_stream_completed"),
        finish_reason=st.sampled_from(("", "stop", "error")),
        total_duration_ms=_NUMBERS,
        total_tokens=_NUMBERS,
    ),
    gateway=_rows(
        GatewayRow,
        _GATEWAY,
        capability=_CAPABILITIES,
        orchestrator_address=wallets,
        attempt_index=st.sampled_from((None, -(2**31), 0, 4)),
        http_status=st.sampled_from((None, 200, 502)),
    ),
    orchestrator=_rows(
        OrchestratorRow,
        _ORCHESTRATOR,
        capability=_CAPABILITIES,
        orchestrator_address=wallets,
        worker_url=st.sampled_from(("", "http://w1", "http://w2/")),
        http_status=st.sampled_from((None, 0, 200, 502)),
        price_per_unit=_NUMBERS,
        pixels_per_unit=_NUMBERS,
    ),
    payments=_rows(
        PaymentRow,
        ("payment_compute_charged", "payment_created"),
        capability=_CAPABILITIES,
        orchestrator_address=wallets,
        elapsed_seconds=_NUMBERS,
        price_per_unit=_NUMBERS,
    ),
)
"""Rows of one job: few times, orchestrators and URLs, so that they meet in every way."""

registrations: Final = st.lists(
    st.builds(
        Registration,
        event_timestamp=times,
        source_event_uid=st.integers(0, 99).map(str),
        capability=_CAPABILITIES,
        orchestrator_address=wallets,
        worker_url=st.sampled_from(("", "http://w1", "HTTP://W2")),
        models=st.sampled_from(("", "m1", "m1,m2")),
    ),
    max_size=5,
    unique_by=lambda each: each.source_event_uid,
)


@st.composite
def again(draw: st.DrawFn, rows: JobRows) -> JobRows:
    """The same events in any order, some of them stored more than once."""

    def stored(some: list[Row]) -> list[Row]:
        copied = draw(st.lists(st.sampled_from(some), max_size=3)) if some else []
        copies = [replace(row, topic="replayed", offset=1000 + number) for number, row in enumerate(copied)]
        return draw(st.permutations([*some, *copies]))

    return JobRows(
        batch=stored(rows.batch),
        llm=stored(rows.llm),
        gateway=stored(rows.gateway),
        orchestrator=stored(rows.orchestrator),
        payments=stored(rows.payments),
    )
