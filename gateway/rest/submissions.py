"""POST /api/v1/jobs: take a job, answer when it is safe.

The accept is not tied to the connection: a client that hangs up after its request has arrived has submitted a job.
"""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from gateway import answers, query
from gateway.body import read_json_body
from gateway.door import CALLER, unavailable
from gateway.rest.respond import respond
from gateway.submit import Submitter
from persistence.accept import Acceptor
from wire.errors import Refused, Unavailable
from wire.fields import MAX_KEY
from wire.tracing import Trace

KEY_HEADER: Final = "Idempotency-Key"


class Submissions:
    """The one route that makes jobs."""

    def __init__(self, submitter: Submitter, acceptor: Acceptor, max_bytes: int) -> None:
        self._submitter, self._acceptor, self._max_bytes = submitter, acceptor, max_bytes

    def routes(self) -> list[web.RouteDef]:
        return [web.post(answers.JOBS, self.submit)]

    async def submit(self, request: web.Request) -> web.Response:
        query.read(request, {})
        body = await read_json_body(request, self._max_bytes)
        submission = await self._submitter.prepare(
            body,
            scope=request[CALLER],
            key=_key(request),
            trace=Trace.of(request.headers) or Trace.begin(),
        )
        try:
            accepted = await self._acceptor.submit(submission)
        except Unavailable as e:
            raise unavailable(str(submission.id)) from e
        answer = answers.receipt(submission, accepted)
        return respond(answer, 202, {hdrs.LOCATION: answer.links.this})


def _key(request: web.Request) -> str | None:
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        remedy = f"use 1 to {MAX_KEY} printable ASCII characters"
        raise Refused(KEY_HEADER, "is not a key", remedy)
    return key
