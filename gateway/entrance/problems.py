"""Errors as RFC 9457 problem+json: what was wrong, with which field, and what to do about it.

Every kind of error has one row in `KINDS`, which is also the page /problems and the error part of the OpenAPI
document.  A problem never says what went wrong inside: a 500 carries the request's id and no details.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web

from wire.errors import Refused

CONTENT_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error: its status, its title, and what it means to whoever meets it."""

    status: int
    title: str
    meaning: str


KINDS: Final[Mapping[str, Kind]] = {
    "malformed": Kind(422, "Malformed request", "A field does not hold what it must; `field` and `remedy` say which."),
    "unknown_type": Kind(422, "Unknown job type", "No worker has registered this type; /api/v1/job-types lists all."),
    "id_reused": Kind(409, "Id already in use", "The id or idempotency key belongs to a job with another body."),
    "wrong_state": Kind(
        409, "Not in this state", "The job, batch, schedule or dead letter has gone on; the detail says how it stands."
    ),
    "changed": Kind(412, "Changed meanwhile", "If-Match names another version than the one that stands."),
    "limit_reached": Kind(409, "Limit reached", "This API key may have no more of these; the detail says how many."),
    "not_found": Kind(
        404, "Not found", "There is no such route, job, artifact, job type, batch, schedule, dead letter or redrive."
    ),
    "method_not_allowed": Kind(405, "Method not allowed", "The header Allow lists the methods of this route."),
    "too_large": Kind(
        413, "Body too large", "The body exceeds its limit, WARREN_MAX_BODY_BYTES a job; the detail says which."
    ),
    "unsupported_media": Kind(
        415, "Unsupported body", "Bodies are plain, uncompressed JSON; jobs in bulk may be application/x-ndjson."
    ),
    "slow_body": Kind(408, "Body came too slowly", "The body did not arrive in time; send it again."),
    "bad_range": Kind(416, "Range not there", "The range begins behind the end; Content-Range tells how long it is."),
    "bad_http": Kind(400, "Malformed HTTP", "What arrived is not an HTTP request."),
    "bad_expectation": Kind(417, "Unknown expectation", "Only `Expect: 100-continue` is understood."),
    "unauthorized": Kind(401, "API key required", "Send `Authorization: Bearer <key>` or `X-API-Key: <key>`."),
    "foreign_host": Kind(421, "Foreign host name", "This gateway does not answer to that Host: WARREN_ALLOWED_HOSTS."),
    "foreign_origin": Kind(403, "Foreign origin", "A web page of another site may not change anything here."),
    "unavailable": Kind(503, "Not available now", "A store is away; send the same request again after Retry-After."),
    "internal": Kind(500, "Internal error", "A fault of ours; the log tells more under the request id."),
}
BY_STATUS: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 417: "bad_expectation"}


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of several faults."""

    field: str
    detail: str
    remedy: str | None = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as RFC 9457 writes it, with the field and the remedy beside it."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    field: str | None = None
    remedy: str | None = None
    errors: list[Fault] | None = None
    id: str | None = None
    """With 503: the id that was tried; sent again, it cannot become a second job."""
    ids: list[str | None] | None = None
    """With 503 to a bulk request: the same of each job in order, null for those that were refused."""


class Refusal(Exception):
    """A request that is answered with a problem of this kind."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        field: str | None = None,
        remedy: str | None = None,
        faults: Sequence[Fault] = (),
        job_id: str | None = None,
        ids: Sequence[str | None] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.field, self.remedy = kind, detail, field, remedy
        self.faults, self.job_id, self.ids, self.headers = faults, job_id, ids, headers or {}

    @classmethod
    def of(cls, refused: Refused) -> Refusal:
        """What the wire refused, with its words."""
        kind = refused.code if refused.code in KINDS else "malformed"
        return cls(kind, f"{refused.field} {refused.problem}", field=refused.field, remedy=refused.remedy or None)


def answer(refusal: Refusal, request_id: str) -> web.Response:
    """The response that tells of it."""
    kind = KINDS[refusal.kind]
    problem = Problem(
        type=f"/problems#{refusal.kind}",
        title=kind.title,
        status=kind.status,
        detail=refusal.detail,
        request_id=request_id,
        field=refusal.field,
        remedy=refusal.remedy,
        errors=list(refusal.faults) or None,
        id=refusal.job_id,
        ids=list(refusal.ids) or None,
    )
    body = msgspec.json.encode(problem)
    return web.Response(body=body, status=kind.status, content_type=CONTENT_TYPE, headers=refusal.headers)
