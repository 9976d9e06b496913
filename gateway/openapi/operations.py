"""Every route, described: what /openapi.json says of the routes is this.

A test holds this list and the application's routes together; neither may know a route that the other does not.
"""

from __future__ import annotations

from typing import Final

from gateway.answers.job_types import JOB_TYPES
from gateway.answers.jobs import JOBS
from gateway.entrance.query import LONGEST_WAIT_SECONDS
from gateway.openapi.artifacts import artifact_operations
from gateway.openapi.batches import batch_operations
from gateway.openapi.crawls import crawl_operations
from gateway.openapi.crew import CREW_OPERATIONS
from gateway.openapi.letters import LETTER_OPERATIONS
from gateway.openapi.logs import log_operations
from gateway.openapi.operation import CURSOR, INSTANT, LIMIT, TEXT, UUID, Operation, parameter
from gateway.openapi.schedules import schedule_operations
from gateway.openapi.why import why_operations
from wire.fields import MAX_KEY
from wire.states import FILTERS

_STATE: Final = {"type": "string", "enum": list(FILTERS)}
_JOB_ID: Final = parameter("path", "id", UUID, "The job's id")
_WAIT: Final = parameter(
    "query", "wait", {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS, "default": 0},
    "Seconds to wait for the job to end; the answer is the job as it stands then",
)  # fmt: skip
_KEY: Final = parameter(
    "header", "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
    "Requests with the same key make one job; the id is derived from it",
)  # fmt: skip
_TRACEPARENT: Final = parameter(
    "header", "traceparent", {"type": "string"}, "W3C trace context; the job joins this trace"
)

_FILTERS: Final = (
    parameter(
        "query", "state", _STATE, "A state; `pending` is scheduled, queued and retrying, `dead_letter` is failed"
    ),
    parameter("query", "type", TEXT, "Job type"),
    parameter("query", "queue", TEXT, "Queue"),
    parameter("query", "tag", TEXT, "A tag that the job carries"),
    parameter("query", "batch_id", UUID, "Batch"),
    parameter("query", "schedule_id", UUID, "The schedule that made it"),
    parameter("query", "since", INSTANT, "Created at this time or later"),
    LIMIT,
    CURSOR,
)

_SUBMIT_DETAIL: Final = """\
Answered when the job is safe: committed in Postgres, or confirmed by RabbitMQ while Postgres is away.
Sent again with the same `id` or idempotency key and the same body, it answers 200 with the first job and
`duplicate: true`."""
_BULK_DETAIL: Final = """\
A JSON array, or NDJSON with a job a line; at most WARREN_MAX_BULK_JOBS jobs in WARREN_MAX_BULK_BYTES.  Each job is
judged and answered for itself, in order: one bad job never fails the rest.  200: every job is safe.  207: one at least
was refused, or came when both stores were away; `status` says which.  A body that is not JSON leaves nothing behind.
The header `Idempotency-Key` stands for the whole request: a job that names neither `id` nor `idempotency_key` gets a
key made of it and of the job's place, so that the request can be sent again as it was."""

_STANDS: Final = "The answer is the job as it stands then."
_CANCEL_DETAIL: Final = f"""\
What waits is cancelled here and now (200), and stays so with every worker down. What runs is asked to end (202): an
async job is interrupted at its next await, a sync job is told; it may still complete. {_STANDS}"""
_DELETE_DETAIL: Final = f"""\
What has finished is deleted for good (204). What lives is cancelled instead (202), and can be deleted once it has
ended; with `purge=true` it is deleted at once, and a worker that runs it is told to stop. {_STANDS}"""
_RETRY_DETAIL: Final = f"""\
Only failed, cancelled and expired jobs: the same job waits again, with all its retries. {_STANDS}"""
_PURGE: Final = parameter("query", "purge", {"type": "boolean", "default": False}, "Delete it although it lives")
_CHANGES: Final = ("malformed", "not_found", "wrong_state", "foreign_origin", "unavailable")
_UNCHANGED: Final = ((304, ""),)
_DASHBOARD_DETAIL: Final = """\
It asks this API like everybody else, and asks its reader for an API key where one is needed."""

OPERATIONS: Final = (
    Operation(
        "submitJob", JOBS, "Submit a job", "Receipt", method="post", status=202, also=((200, "Receipt"),),
        takes="job", detail=_SUBMIT_DETAIL, parameters=(_KEY, _TRACEPARENT),
        problems=("malformed", "unknown_type", "id_reused", "too_large", "unsupported_media", "slow_body",
                  "foreign_origin", "unavailable"),
    ),
    Operation(
        "submitJobs", JOBS + "/bulk", "Submit many jobs", "BulkReceipt", method="post", also=((207, "BulkReceipt"),),
        takes="jobs", detail=_BULK_DETAIL, parameters=(_KEY, _TRACEPARENT),
        problems=("malformed", "too_large", "unsupported_media", "slow_body", "foreign_origin", "unavailable"),
    ),
    Operation("listJobs", JOBS, "List jobs, newest first", "JobList", parameters=_FILTERS,
              problems=("malformed", "unavailable")),
    Operation("getJob", JOBS + "/{id}", "One job", "Job", parameters=(_JOB_ID, _WAIT),
              problems=("malformed", "not_found", "unavailable")),
    Operation("listAttempts", JOBS + "/{id}/attempts", "A job's ended attempts, oldest first", "AttemptList",
              parameters=(_JOB_ID,), problems=("malformed", "not_found", "unavailable")),
    *why_operations(_JOB_ID),
    *log_operations(_JOB_ID),
    *artifact_operations(_JOB_ID),
    Operation("cancelJob", JOBS + "/{id}/cancel", "Cancel a job", "Job", method="post", also=((202, "Job"),),
              parameters=(_JOB_ID,), detail=_CANCEL_DETAIL, problems=_CHANGES),
    Operation("deleteJob", JOBS + "/{id}", "Delete a job that has finished, cancel one that lives", "", method="delete",
              status=204, also=((202, "Job"),), parameters=(_JOB_ID, _PURGE), detail=_DELETE_DETAIL,
              problems=("malformed", "not_found", "foreign_origin", "unavailable")),
    Operation("retryJob", JOBS + "/{id}/retry", "Send a job again", "Job", method="post", status=202,
              parameters=(_JOB_ID,), detail=_RETRY_DETAIL, problems=_CHANGES),
    *batch_operations(_KEY, _TRACEPARENT),
    *crawl_operations(_KEY, _TRACEPARENT),
    *schedule_operations(_KEY, _TRACEPARENT),
    *LETTER_OPERATIONS,
    Operation("listJobTypes", JOB_TYPES, "All job types", "JobTypeList", tag="job types",
              problems=("malformed", "unavailable")),
    Operation("getJobType", JOB_TYPES + "/{name}", "One job type", "JobType", tag="job types",
              parameters=(parameter("path", "name", TEXT, "The type's name"),),
              problems=("malformed", "not_found", "unavailable")),
    *CREW_OPERATIONS,
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
    Operation("asset", "/docs/assets/{name}", "A file of these pages", "*/*", tag="docs",
              open=True, parameters=(parameter("path", "name", TEXT, "The file's name"),), problems=("not_found",)),
    Operation("dashboard", "/dashboard", "The web page for people", "text/html", also=_UNCHANGED, tag="docs",
              open=True, detail=_DASHBOARD_DETAIL),
    Operation("dashboardAsset", "/dashboard/assets/{name}", "A file of that page", "*/*", also=_UNCHANGED, tag="docs",
              open=True, parameters=(parameter("path", "name", TEXT, "The file's name"),), problems=("not_found",)),
    Operation("root", "/", "Redirects to /dashboard", "", status=302, tag="docs", open=True),
)  # fmt: skip
