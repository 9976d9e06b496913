"""Jobs that ask somebody over HTTP, with the instrumentation that a team would install."""

from __future__ import annotations

import asyncio

import httpx
from opentelemetry import baggage, trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from pydantic import BaseModel

from warren import context, job, submit, submit_now

HTTPXClientInstrumentor().instrument()
PATIENCE_SECONDS = 60.0  # an attempt whose request came to nothing would be made again, and would ask once more


class Where(BaseModel):
    url: str
    seconds: float = 0.0


@job("curious")
async def curious(payload: Where) -> str:
    """Ask, wait among others, ask again, on the loop."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as client:
        await client.get(payload.url, params={"job": str(context().job_id)})
        await asyncio.sleep(payload.seconds)
        await client.get(payload.url, params={"job": str(context().job_id)})
    trace.get_current_span().set_attribute("asked", str(context().job_id))
    return format(trace.get_current_span().get_span_context().trace_id, "032x")


@job("curious_sync")
def curious_sync(payload: Where) -> str:
    """Ask on a thread."""
    httpx.get(payload.url, params={"job": str(context().job_id)}, trust_env=False, timeout=PATIENCE_SECONDS)
    return format(trace.get_current_span().get_span_context().trace_id, "032x")


@job("burdened", retry_base_seconds=0.1)
async def burdened() -> dict[str, object]:
    """Fail once, then say what came along."""
    if context().attempt == 1:
        raise ConnectionError("once")
    trace.get_current_span().add_event("arrived", {"attempt": context().attempt})
    return dict(baggage.get_all())


@job("fatherly")
async def fatherly() -> None:
    """Submit one job with the outcome, and one at once."""
    submit("echo", {"message": "with it"})
    await submit_now("echo", {"message": "at once"})
