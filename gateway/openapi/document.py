"""GET /openapi.json: the whole API as OpenAPI 3.1, put together from what the code itself uses.

The routes come from `operations`, the answers' schemas from the structs that are sent, the errors from the table in
`problems`, and the payloads' schemas from what the workers registered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway import answers, health
from gateway.dialects.pages import NumberedJobs
from gateway.entrance.door import CALLER
from gateway.entrance.problems import CONTENT_TYPE, KINDS, Problem
from gateway.openapi import batches, crawls, schedules
from gateway.openapi import dialects as in_dialects
from gateway.openapi.operation import Json, Operation
from gateway.openapi.operations import OPERATIONS
from gateway.openapi.submission import by_type, examples_of, result_of, submission_schema
from gateway.pausing.pause_request import SCHEMA as PAUSE_SCHEMA
from gateway.redriving.redrive_request import SCHEMA as REDRIVE_SCHEMA
from persistence.declared import job_types
from persistence.declared.job_types import JobType
from persistence.store.database import Database
from wire.errors import DatabaseUnavailable
from wire.version import VERSION

STRUCTS: Final = (
    answers.jobs.Receipt, answers.jobs.Job, answers.jobs.JobList, answers.jobs.AttemptList, answers.bulk.BulkReceipt,
    answers.batches.Batch, answers.batches.BatchList, answers.job_types.JobType, answers.job_types.JobTypeList,
    answers.letters.DeadLetterList, answers.letters.CauseList, answers.letters.OpenedLetter, answers.letters.Redrive,
    answers.letters.RedriveList, answers.letters.Rehearsal, answers.stats.Stats, answers.crew.QueueList,
    answers.crew.OpenedQueue, answers.crew.WorkerList, answers.crew.Worker, answers.why.Why, answers.timeline.Timeline,
    answers.logs.Logs, answers.artifacts.ArtifactList, answers.crawls.CrawlReceipt, answers.crawls.CrawlStatus,
    answers.crawls.CrawlResults,
    answers.schedules.Schedule, answers.schedules.ScheduleList, answers.schedules.RunList, answers.schedules.Preview,
    answers.schedules.Changed, answers.schedules.Backfill,
    NumberedJobs, health.Health, health.Alive, Problem,
)  # fmt: skip
ALWAYS_POSSIBLE: Final = ("method_not_allowed", "foreign_host", "internal")

_SUMMARY: Final = """\
Jobs in, outcomes out. A job is accepted when it is safe, runs on a worker, and its outcome is recorded in Postgres.
Errors are `application/problem+json` (RFC 9457) and name the field and the remedy."""


class Description:
    """The route that describes all routes."""

    def __init__(self, database: Database, lease_seconds: float) -> None:
        self._database, self._lease_seconds = database, lease_seconds

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/openapi.json", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        types = await self._types() if CALLER in request else []
        return web.Response(body=msgspec.json.encode(document(types)), content_type="application/json")

    async def _types(self) -> Sequence[JobType]:
        try:
            return await job_types.known(self._database, self._lease_seconds)
        except DatabaseUnavailable:
            return []  # the routes stand all the same


def document(types: Sequence[JobType]) -> dict[str, Any]:
    """The document, with the payloads and results of these types."""
    _, schemas = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    operations = (*OPERATIONS, *in_dialects.described(OPERATIONS))
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, types)
    schemas["Job"] |= by_type(result_of(types))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Warren",
            "version": VERSION,
            "description": _SUMMARY,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in operations)],
        "security": [{"bearer": []}, {"apiKey": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, **in_dialects.schemas(), **submission_schema(types)},
            "responses": {
                f"Problem{status}": _problem(status) for status in sorted({k.status for k in KINDS.values()})
            },
            "headers": {"RequestId": {"description": "The request's id", "schema": {"type": "string"}}},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key; none is needed on loopback"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _operation(operation: Operation, types: Sequence[JobType]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [*operation.parameters, _REQUEST_ID],
        "responses": {
            **{str(status): _success(operation, status, answer) for status, answer in operation.answers},
            **_failures(operation),
        },
    }
    if operation.detail:
        described["description"] = operation.detail
    if operation.takes:
        described["requestBody"] = _job_body(types) if operation.takes == "job" else BODIES[operation.takes]
    if operation.open:
        described["security"] = [{}]
    return described


def _job_body(types: Sequence[JobType]) -> Json:
    """With an example of each type that is known."""
    shown = {**_EXAMPLES, **examples_of(types)}
    return {"required": True, "content": {"application/json": {"schema": _ref("Submission"), "examples": shown}}}


def _success(operation: Operation, status: int, answer: str) -> dict[str, Any]:
    headers: dict[str, Json] = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if status in (201, 202, 302):
        headers["Location"] = {"description": "Where it is", "schema": {"type": "string"}}
    success: dict[str, Any] = {"description": operation.summary, "headers": headers}
    if not answer:
        return success
    structs, others = _split(answer)
    if structs:
        shown = {"examples": operation.examples} if operation.examples and status == operation.status else {}
        success["content"] = {"application/json": {"schema": _references(structs), **shown}}
    if others:
        success["content"] = {**success.get("content", {}), **{other: {} for other in others}}
    return success


def _split(answer: str) -> tuple[list[str], list[str]]:
    """The structs it may be, and the media types."""
    names = answer.split("|")
    return [name for name in names if "/" not in name], [name for name in names if "/" in name]


def _references(names: Sequence[str]) -> Json:
    return _ref(names[0]) if len(names) == 1 else {"anyOf": [_ref(name) for name in names]}


def _failures(operation: Operation) -> dict[str, Json]:
    kinds = (*operation.problems, *ALWAYS_POSSIBLE, *(() if operation.open else ("unauthorized",)))
    statuses = sorted({KINDS[kind].status for kind in kinds})
    failures: dict[str, Json] = {str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in statuses}
    if operation.answers == ((200, "Health"),):
        failures["503"] = {
            "description": "A store is away",
            "content": {"application/json": {"schema": _ref("Health")}},
        }
    return failures


def _problem(status: int) -> dict[str, Any]:
    kinds = {name: kind for name, kind in KINDS.items() if kind.status == status}
    response: dict[str, Any] = {
        "description": "\n\n".join(f"**{kind.title}** (`{name}`): {kind.meaning}" for name, kind in kinds.items()),
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}},
        "content": {CONTENT_TYPE: {"schema": _ref("Problem")}},
    }
    if status == 503:
        response["headers"]["Retry-After"] = {"description": "Seconds", "schema": {"type": "integer"}}
    return response


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_REQUEST_ID: Final = {
    "name": "X-Request-ID", "in": "header", "schema": {"type": "string"},
    "description": "Your id for this request: in the answer, in every log line and in every problem. One that is not "
    "1 to 128 printable ASCII characters is replaced by an id of ours",
}  # fmt: skip
_EXAMPLE: Final = {"type": "echo", "payload": {"message": "hi"}}
_EXAMPLES: Final = {
    "echo": {"value": _EXAMPLE},
    "unique": {"value": {**_EXAMPLE, "unique": {"by": ["payload.message"], "within_seconds": 3600}}},
}
_JOB: Final = {"application/json": {"schema": _ref("Submission"), "examples": _EXAMPLES}}
_JOBS: Final = {
    "application/json": {
        "schema": {"type": "array", "items": _ref("Submission"), "minItems": 1},
        "examples": {"two": {"value": [_EXAMPLE, {**_EXAMPLE, "priority": "high"}]}},
    },
    "application/x-ndjson": {
        "schema": {"type": "string"},
        "examples": {"two": {"value": '{"type":"echo","payload":{}}\n{"type":"echo","payload":{}}\n'}},
    },
}
_NOTED: Final = {"by": "ada", "note": "the mail server is being moved"}
_PAUSE: Final = {"application/json": {"schema": PAUSE_SCHEMA, "examples": {"noted": {"value": _NOTED}}}}
BODIES: Final[Mapping[str, Json]] = {
    "jobs": {"required": True, "content": _JOBS},
    "job in a dialect": in_dialects.either_body(),
    "batch": {
        "required": True,
        "content": {"application/json": {"schema": batches.BATCH, "examples": batches.BATCHES_SHOWN}},
    },
    "crawl": {
        "required": True,
        "content": {"application/json": {"schema": crawls.CRAWL, "examples": crawls.CRAWLS_SHOWN}},
    },
    **schedules.BODIES,
    "schedule in a dialect": in_dialects.schedule_body(),
    "edited job": {"required": False, "content": _JOB},
    "pause": {"required": False, "content": _PAUSE},
    "redrive": {"required": True, "content": {"application/json": {"schema": REDRIVE_SCHEMA}}},
}
