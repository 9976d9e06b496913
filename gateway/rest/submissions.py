"""POST /api/v1/jobs: take a job, answer when it is safe.

The accept is not tied to the connection: a client that hangs up after its request has arrived has submitted a job.
"""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.jobs import JOBS
from gateway.entrance import query
from gateway.entrance.body import read_json_body
from gateway.entrance.door import CALLER
from gateway.entrance.spans import trace_of
from gateway.rest.respond import respond
from gateway.submitting.acceptance import accepted_of
from gateway.submitting.submit import Submitter
from persistence.accepting.accept import Acceptor
from wire.errors import Refused
from wire.fields import MAX_KEY

KEY_HEADER: Final = "Idempotency-Key"


class Submissions:
    """The one route that makes jobs."""

    def __init__(self, submitter: Submitter, acceptor: Acceptor, max_bytes: int, trace_url: str = "") -> None:
        self._submitter, self._acceptor, self._max_bytes = submitter, acceptor, max_bytes
        self._trace_url = trace_url

    def routes(self) -> list[web.RouteDef]:
        return [web.post(JOBS, self.submit)]

    async def submit(self, request: web.Request) -> web.Response:
        query.read(request, {})
        body = await read_json_body(request, self._max_bytes)
        submission = await self._submitter.prepare(
            body,
            scope=request[CALLER],
            key=key_of(request),
            trace=trace_of(request),
        )
        accepted = await accepted_of(self._acceptor, submission)
        answer = answers.jobs.receipt(submission, accepted, self._trace_url)
        return respond(answer, 200 if accepted.duplicate else 202, {hdrs.LOCATION: answer.links.this})


def key_of(request: web.Request) -> str | None:
    """The request's idempotency key, or Refused."""
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        remedy = f"use 1 to {MAX_KEY} printable ASCII characters"
        raise Refused(KEY_HEADER, "is not a key", remedy)
    return key
