"""The routes of the dialects, described: each is made of the description of our own route.

Their names come from gateway/dialects/names.py; a test holds these descriptions and the application's routes together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.answers.crawls import CRAWLS
from gateway.answers.jobs import JOBS
from gateway.answers.schedules import SCHEDULES
from gateway.dialects.names import (
    BESIDE,
    EITHER,
    EXECUTIONS,
    JOB_FIELDS,
    LISTS,
    ONE_JOB,
    ONE_SCHEDULE,
    PARAMETERS,
    PREFIX,
    SCHEDULE_FIELDS,
    SCHEDULED_JOBS,
    SUBMIT,
    elsewhere,
)  # fmt: skip
from gateway.openapi.crawls import CRAWL, CRAWLS_SHOWN
from gateway.openapi.operation import LIMIT, UUID, Json, Operation, parameter
from gateway.openapi.schedules import EXAMPLES as SCHEDULES_SHOWN
from gateway.openapi.schedules import FIELDS as OF_A_SCHEDULE
from gateway.openapi.submission import FIELDS as OURS

_ENDING: Final = "InDialect"
_SAME: Final = "The same as `{}`"
_WORDS: Final = """, in the words of other job systems: the answer carries `job_id` beside `id`, `status` beside
`state`, and a list its own name beside `items`."""
_LIST_DETAIL: Final = """
With neither `limit` nor `cursor` it is a page by its number, with totals."""
_PAGES: Final = (
    parameter("query", "page", {"type": "integer", "minimum": 1, "default": 1}, "The page's number"),
    {**LIMIT, "name": "per_page"},
)


def described(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """What the dialects add to these operations."""
    return tuple(
        _theirs(operation, method, path)
        for operation in operations
        for method, path in _elsewhere(operation)
    )  # fmt: skip


def schemas() -> dict[str, Json]:
    """The schemas of their answers, made of ours."""
    return {
        f"Receipt{_ENDING}": _beside("Receipt", "id", "state"),
        f"Job{_ENDING}": _beside("Job", "id", "state"),
        f"Why{_ENDING}": _beside("Why", "id", "state"),
        f"Timeline{_ENDING}": _beside("Timeline", "id", "state"),
        f"Attempt{_ENDING}": _beside("Attempt", "outcome", **{BESIDE["id"]: UUID}),
        f"Schedule{_ENDING}": _beside("Schedule", "id", "state"),
        f"Run{_ENDING}": _beside("Run", "state"),
        f"ScheduleList{_ENDING}": _list(["ScheduleList"], "Schedule", LISTS[SCHEDULES]),
        f"RunList{_ENDING}": _list(["RunList"], "Run", LISTS[ONE_SCHEDULE + "/runs"]),
        f"JobList{_ENDING}": _list(["NumberedJobs", "JobList"], "Job", LISTS[JOBS]),
        f"AttemptList{_ENDING}": _list(["AttemptList"], "Attempt", LISTS[f"{JOBS}/{{id}}/attempts"]),
    }


def either_body() -> Json:
    """What a route of theirs takes that makes jobs, schedules and crawls."""
    jobs, schedules = (one["content"]["application/json"] for one in (body(), schedule_body()))
    either = {"anyOf": [jobs["schema"], schedules["schema"], CRAWL]}
    examples = {
        **{f"schedule: {name}": one for name, one in schedules["examples"].items()},
        **{f"crawl: {name}": one for name, one in CRAWLS_SHOWN.items()},
        **jobs["examples"],
    }
    return {"required": True, "content": {"application/json": {"schema": either, "examples": examples}}}


def body() -> Json:
    """A submission in a dialect, with an example of each."""
    return _body("A job to do", "`Submission`", OURS, JOB_FIELDS, _EXAMPLES, extra={"patternProperties": {"^x_": {}}})


def schedule_body() -> Json:
    """A schedule in a dialect, with an example of each."""
    moment = {"oneOf": [{"type": "number"}, {"type": "string"}], "description": "Seconds since 1970, or ISO 8601"}
    more = {"frequency": {"type": "string", "enum": ["once", "cron", "interval"]}, "next_run_time": moment}
    return _body("A schedule", "a schedule", OF_A_SCHEDULE, SCHEDULE_FIELDS, _SCHEDULES, more=more)


def _body(
    what: str, whole: str, ours: Mapping[str, Any], names: Mapping[str, str], examples: Json, *,
    more: Json | None = None, extra: Json | None = None,
) -> Json:  # fmt: skip
    text: Json = {"type": "string", "contentMediaType": "application/json", "description": "A string with an object"}
    fields: dict[str, Any] = {**ours, "payload": {"oneOf": [ours["payload"], text]}}
    schema = {
        "type": "object",
        "description": f"{what}, in other words: each of them stands for a field of {whole}.",
        "properties": fields | {theirs: fields[ours] for theirs, ours in names.items()} | dict(more or {}),
        **(extra or {}),
        "additionalProperties": False,
    }
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}


_EXAMPLES: Final = {
    "job_type": {"value": {"job_type": "echo", "payload": {"message": "hi"}, "priority": "high", "timeout": 30}},
    "payload in a string": {"value": {"job_type": "echo", "payload": '{"message": "hi"}', "max_retries": 3}},
    "job_data": {"value": {"job_type": "echo", "job_data": {"message": "hi"}}},
}


_ONCE: Final = {"name": "echo", "frequency": "once", "next_run_time": 4070908800, "payload": {"message": "hi"}}
_SCHEDULES: Final = {
    **SCHEDULES_SHOWN,
    "job_data": {
        "value": {"name": "hourly", "job_type": "echo", "job_data": {"message": "hi"}, "interval_seconds": 3600}
    },
    "frequency": {"value": _ONCE},
}
_TAKES: Final = {"job": "job in a dialect", "schedule": "schedule in a dialect"}


def _elsewhere(operation: Operation) -> list[tuple[str, str]]:
    return [(method.lower(), path) for method, path in elsewhere(operation.method.upper(), operation.path)]


def _theirs(operation: Operation, method: str, path: str) -> Operation:
    listed = operation.path == JOBS and operation.method == "get"
    either = (operation.method.upper(), operation.path) in EITHER and operation.answer and not path.endswith("attempts")
    return replace(
        operation,
        name=operation.name + _ending(operation, path),
        method=method,
        path=path,
        answer=_answer(operation.answer) + (_OR_OF_A_SCHEDULE[operation.path] if either else ""),
        also=(*((status, _answer(answer)) for status, answer in operation.also), *_made(operation)),
        tag="dialects",
        parameters=(*operation.parameters, *(_parameters(operation) if listed else ())),
        takes=_TAKES.get(operation.takes, operation.takes) if operation.path in (JOBS, SCHEDULES) else operation.takes,
        detail=_detail(operation, listed=listed),
        examples=None,
    )


_OR_OF_A_SCHEDULE: Final = {ONE_JOB: f"|Schedule{_ENDING}", f"{ONE_JOB}/attempts": f"|RunList{_ENDING}"}


def _ending(operation: Operation, path: str) -> str:
    """What makes its name one of its own."""
    plain = "" if path.startswith(PREFIX) else "Plain"
    for part, word in ((EXECUTIONS, "Executions"), (SUBMIT, "AtSubmit")):
        if path.endswith(part):
            return plain + word
    if path.startswith((SCHEDULED_JOBS, SCHEDULED_JOBS.removeprefix(PREFIX))):
        return plain + "ScheduledJob"
    return plain + ("OfJob" if operation.path.startswith((SCHEDULES, CRAWLS)) else "")


def _made(operation: Operation) -> tuple[tuple[int, str], ...]:
    """A submission that says when makes a schedule, and one with articles a crawl."""
    return ((201, f"Schedule{_ENDING}|CrawlReceipt"),) if operation.path == JOBS and operation.method == "post" else ()


def _detail(operation: Operation, *, listed: bool) -> str:
    ours = _SAME.format(operation.path)
    if not operation.path.startswith((JOBS, SCHEDULES)):
        return f"{ours}."
    return ours + _WORDS + (_LIST_DETAIL if listed else "")


def _answer(name: str) -> str:
    return name + _ENDING if name + _ENDING in schemas() else name


def _parameters(operation: Operation) -> tuple[Json, ...]:
    ours = {given["name"]: given for given in operation.parameters}
    aliases = (
        {**ours[named], "name": theirs, "description": f"The same as `{named}`"} for theirs, named in PARAMETERS.items()
    )
    return (*aliases, *_PAGES)


def _beside(struct: str, *names: str, **more: Json) -> Json:
    own = f"#/components/schemas/{struct}"
    theirs = {BESIDE[name]: {"$ref": f"{own}/properties/{name}"} for name in names} | more
    return {"allOf": [{"$ref": own}], "properties": theirs, "required": list(theirs)}


def _list(structs: list[str], item: str, name: str) -> Json:
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{item}{_ENDING}"}}
    either = [{"$ref": f"#/components/schemas/{struct}"} for struct in structs]
    return {"anyOf": either, "properties": {name: {**items, "description": "The same as `items`"}}, "required": [name]}
