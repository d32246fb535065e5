"""The HTTP service. Run it with: uvicorn lpa_example_service.service:app"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from fastapi import FastAPI, Request, Response, status
from pydantic import BaseModel

from lpa_core import Ignored, Rejected
from lpa_example_service.judge import Judge


class Answer(BaseModel):
    """What the service says about an event."""

    verdict: Literal["accepted", "duplicate", "ignored", "rejected"]
    dedup_key: str | None = None
    rows: dict[str, int] = {}
    """Table -> how many rows the event makes."""
    reason: str | None = None
    details: str | None = None


def create_app(judge: Judge | None = None) -> FastAPI:
    """The application. ``judge`` is a new one by default."""
    app = FastAPI(title="Validate and deduplicate events")
    events = Judge() if judge is None else judge

    # The body is read as bytes: lpa decodes it. Async, so that only the thread of the event loop uses the judge.
    @app.post("/events", responses={status.HTTP_422_UNPROCESSABLE_CONTENT: {"model": Answer}})
    async def judge_event(request: Request, response: Response) -> Answer:
        """Judge one event: status 200 if it is accepted or repeated, 422 if it is rejected."""
        verdict, repeated = events.judge(await request.body())
        if isinstance(verdict, Rejected):
            response.status_code = status.HTTP_422_UNPROCESSABLE_CONTENT
            return Answer(verdict="rejected", reason=verdict.failure.reason, details=verdict.failure.details)
        if isinstance(verdict, Ignored):
            return Answer(verdict="ignored", reason=verdict.reason)
        return Answer(
            verdict="duplicate" if repeated else "accepted",
            dedup_key=verdict.dedup_key,
            rows=Counter(table.name for table, _ in verdict.rows),
        )

    return app


app = create_app()
