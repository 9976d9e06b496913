"""Every route as data: what it takes, what it answers, how it fails.  What /openapi.json says of the routes is this.

A test holds this list and the application's routes together; neither may know a route that the other does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.answers import JOB_TYPES, JOBS
from gateway.query import LONGEST_WAIT_SECONDS, MAX_TEXT, MOST_ITEMS
from wire.fields import MAX_KEY
from wire.states import FILTERS

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    name: str
    path: str
    summary: str
    answer: str  # the struct of its success, or a media type
    method: str = "get"
    status: int = 200
    tag: str = "jobs"
    parameters: tuple[Json, ...] = ()
    problems: tuple[str, ...] = ()
    takes_job: bool = False
    open: bool = False  # needs no API key
    detail: str = ""


def _in(where: str, name: str, schema: Json, description: str) -> Json:
    required = {"required": True} if where == "path" else {}
    return {"name": name, "in": where, "schema": schema, "description": description, **required}


_UUID: Final = {"type": "string", "format": "uuid"}
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
_STATE: Final = {"type": "string", "enum": list(FILTERS)}
_JOB_ID: Final = _in("path", "id", _UUID, "The job's id")
_WAIT: Final = _in(
    "query", "wait", {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS, "default": 0},
    "Seconds to wait for the job to end; the answer is the job as it stands then",
)  # fmt: skip
_KEY: Final = _in(
    "header", "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
    "Requests with the same key make one job; the id is derived from it",
)  # fmt: skip
_TRACEPARENT: Final = _in("header", "traceparent", {"type": "string"}, "W3C trace context; the job joins this trace")

_FILTERS: Final = (
    _in("query", "state", _STATE, "A state; `pending` is scheduled, queued and retrying, `dead_letter` is failed"),
    _in("query", "status", _STATE, "The same as `state`"),
    _in("query", "status_filter", _STATE, "The same as `state`"),
    _in("query", "type", _TEXT, "Job type"),
    _in("query", "queue", _TEXT, "Queue"),
    _in("query", "tag", _TEXT, "A tag that the job carries"),
    _in("query", "batch_id", _UUID, "Batch"),
    _in("query", "since", {"type": "string", "format": "date-time"}, "Created at this time or later"),
    _in("query", "limit", {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS}, "Items on the page"),
    _in("query", "cursor", {"type": "string"}, "`next_cursor` of the page before"),
)

_SUBMIT_DETAIL: Final = """\
Answered when the job is safe: committed in Postgres, or confirmed by RabbitMQ while Postgres is away.
Sent again with the same `id` or idempotency key and the same body, it answers with the first job and
`duplicate: true`."""

OPERATIONS: Final = (
    Operation(
        "submitJob", JOBS, "Submit a job", "Receipt", method="post", status=202, takes_job=True, detail=_SUBMIT_DETAIL,
        parameters=(_KEY, _TRACEPARENT),
        problems=("malformed", "unknown_type", "id_reused", "too_large", "unsupported_media", "slow_body",
                  "foreign_origin", "unavailable"),
    ),
    Operation("listJobs", JOBS, "List jobs, newest first", "JobList", parameters=_FILTERS,
              problems=("malformed", "unavailable")),
    Operation("getJob", JOBS + "/{id}", "One job", "Job", parameters=(_JOB_ID, _WAIT),
              problems=("malformed", "not_found", "unavailable")),
    Operation("listAttempts", JOBS + "/{id}/attempts", "A job's ended attempts, oldest first", "AttemptList",
              parameters=(_JOB_ID,), problems=("malformed", "not_found", "unavailable")),
    Operation("listJobTypes", JOB_TYPES, "All job types", "JobTypeList", tag="job types",
              problems=("malformed", "unavailable")),
    Operation("getJobType", JOB_TYPES + "/{name}", "One job type", "JobType", tag="job types",
              parameters=(_in("path", "name", _TEXT, "The type's name"),),
              problems=("malformed", "not_found", "unavailable")),
    Operation("health", "/health", "All checks", "Health", tag="health", open=True,
              detail="503 with the same body when a store is away."),
    Operation("live", "/health/live", "The process answers", "Alive", tag="health", open=True),
    Operation("ready", "/health/ready", "Postgres and RabbitMQ are reachable", "Health", tag="health", open=True,
              detail="503 with the same body when a store is away."),
    Operation("openapi", "/openapi.json", "This document", "application/json", tag="docs", open=True,
              detail="With a valid API key it lists the payload schemas too."),
    Operation("docs", "/docs", "Swagger UI", "text/html", tag="docs", open=True),
    Operation("redoc", "/redoc", "ReDoc", "text/html", tag="docs", open=True),
    Operation("problems", "/problems", "All kinds of errors", "text/html", tag="docs", open=True),
    Operation("asset", "/docs/assets/{name}", "A file of these pages", "application/octet-stream", tag="docs",
              open=True, parameters=(_in("path", "name", _TEXT, "The file's name"),), problems=("not_found",)),
    Operation("root", "/", "Redirects to /docs", "redirect", status=302, tag="docs", open=True),
)  # fmt: skip
