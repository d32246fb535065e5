"""The plugin ``jobs``: events of batch and BYOC jobs, their workers and payments (docs/spec/producers.md section 3).

It uses what any plugin can use, and is an example of how a domain is added: a module for each family, which declares
its table, and this hook. Tables, archive, replay and dictionary follow from the declarations.
"""

from __future__ import annotations

from collections.abc import Sequence

from lpa_core.job_events import (
    ai_batch_request,
    ai_llm_request,
    job_auth,
    job_gateway,
    job_orchestrator,
    job_payment,
    worker_lifecycle,
)
from lpa_core.plugin import EventType, hookimpl


@hookimpl
def lpa_event_types() -> Sequence[EventType]:
    return [
        ai_batch_request.EVENT_TYPE,
        ai_llm_request.EVENT_TYPE,
        job_gateway.EVENT_TYPE,
        job_orchestrator.EVENT_TYPE,
        job_payment.EVENT_TYPE,
        job_auth.EVENT_TYPE,
        worker_lifecycle.EVENT_TYPE,
    ]
