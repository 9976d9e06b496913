"""GET /openapi.json: the whole API as OpenAPI 3.1, put together from what the code itself uses.

The routes come from `operations`, the answers' schemas from the structs that are sent, the errors from the table in
`problems`, and the payloads' schemas from what the workers registered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway import answers, health, letter_answers
from gateway.door import CALLER
from gateway.operation import Json, Operation
from gateway.operations import OPERATIONS
from gateway.problems import CONTENT_TYPE, KINDS, Problem
from gateway.redrive_request import SCHEMA as REDRIVE_SCHEMA
from gateway.submission_schema import submission_schema
from persistence import job_types
from persistence.database import Database
from persistence.job_types import JobType
from wire.errors import DatabaseUnavailable
from wire.version import VERSION

STRUCTS: Final = (
    answers.Receipt, answers.Job, answers.JobList, answers.AttemptList, answers.JobType, answers.JobTypeList,
    letter_answers.DeadLetterList, letter_answers.CauseList, letter_answers.OpenedLetter, letter_answers.Redrive,
    letter_answers.RedriveList, letter_answers.Rehearsal, health.Health, health.Alive, Problem,
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
    """The document, with the payload schemas of these types."""
    _, schemas = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Warren",
            "version": VERSION,
            "description": _SUMMARY,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "security": [{"bearer": []}, {"apiKey": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, **submission_schema(types)},
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


def _operation(operation: Operation) -> dict[str, Any]:
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
        described["requestBody"] = BODIES[operation.takes]
    if operation.open:
        described["security"] = [{}]
    return described


def _success(operation: Operation, status: int, answer: str) -> dict[str, Any]:
    headers: dict[str, Json] = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if status in (202, 302):
        headers["Location"] = {"description": "Where it is", "schema": {"type": "string"}}
    success: dict[str, Any] = {"description": operation.summary, "headers": headers}
    if not answer:
        return success
    if "/" in answer:
        success["content"] = {answer: {}}
    else:
        success["content"] = {"application/json": {"schema": _references(answer)}}
    return success


def _references(answer: str) -> Json:
    names = answer.split("|")
    return _ref(answer) if len(names) == 1 else {"oneOf": [_ref(name) for name in names]}


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
    "name": "X-Request-ID", "in": "header", "schema": {"type": "string", "maxLength": 128},
    "description": "Your id for this request: in the answer, in every log line and in every problem",
}  # fmt: skip
_EXAMPLE: Final = {"type": "echo", "payload": {"message": "hi"}}
_JOB: Final = {"application/json": {"schema": _ref("Submission"), "examples": {"echo": {"value": _EXAMPLE}}}}
BODIES: Final[Mapping[str, Json]] = {
    "job": {"required": True, "content": _JOB},
    "edited job": {"required": False, "content": _JOB},
    "redrive": {"required": True, "content": {"application/json": {"schema": REDRIVE_SCHEMA}}},
}
