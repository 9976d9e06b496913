"""Every route of the API, fuzzed by its own description: what fits it is served, what does not is refused, none fails.

Schemathesis reads /openapi.json as any client would and makes requests of it, half of them against the rules.  No
answer may be a 5xx, and each must be one that the description promises: its status, its headers, its media type and its
schema.  The ids of things that exist are mixed in, because nothing that is made up is ever found.
The short form makes the same requests every time; the long one many more, and new ones.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import uuid4

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import strategies
from schemathesis.checks import CHECKS

from gateway.openapi.operation import Operation
from gateway.openapi.operations import OPERATIONS
from persistence.letters.dead_letters import DeadLetter, keep
from tests.room.gateway.running import JOBS, Running
from wire.message import Incoming

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT, LONG = 6, 100  # requests for each route and mode
MODES: Final = list(schemathesis.GenerationMode)
PROMISES: Final = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
)  # fmt: skip
STATES: Final = ("queued", "running", "completed", "failed", "cancelled")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_a_route_keeps_to_its_description(running: Running, operation: Operation, long: bool) -> None:
    described = await running.get("/openapi.json")
    ids = await _existing(running, operation)

    for mode in MODES if operation.parameters or operation.takes else MODES[:1]:  # nothing can be wrong with no rules
        await asyncio.to_thread(_fuzz, described, operation, mode, ids, f"http://127.0.0.1:{running.port}", long)
    assert "ok" == (await running.get("/health"))["checks"]["database"]["status"]


def _fuzz(described: Any, operation: Operation, mode: Any, ids: list[str], url: str, long: bool) -> None:
    """Send requests of one mode, until one is answered in a way that was not promised."""
    route = schemathesis.openapi.from_dict(described)[operation.path][operation.method.upper()]
    item_by_item = 207 in dict(operation.answers)  # what is wrong with one is told beside the others
    refuses = mode.is_negative and not item_by_item
    promises = CHECKS.get_by_names([*PROMISES, *(["negative_data_rejection"] if refuses else [])])
    session = requests.Session()

    @hypothesis.settings(
        max_examples=LONG if long else SHORT,
        derandomize=not long,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],  # what was sent is printed as a curl; to make it smaller takes minutes
    )
    @hypothesis.given(case=route.as_strategy(generation_mode=mode), known=strategies.none() | _one_of(ids))
    def ask(case: schemathesis.Case, known: str | None) -> None:
        if known:
            case.path_parameters = {name: known for name in case.path_parameters}
        if _is_number(case.query.get("wait")):
            case.query["wait"] = 0  # nobody would end the jobs
        answer = case.call(base_url=url, session=session, timeout=30, allow_redirects=False)
        case.validate_response(answer, checks=promises)

    with session:
        ask()


def _is_number(value: object) -> bool:
    try:
        return float(str(value)) >= 0
    except ValueError:
        return False


def _one_of(ids: list[str]) -> strategies.SearchStrategy[str]:
    return strategies.sampled_from(ids) if ids else strategies.nothing()


async def _existing(running: Running, operation: Operation) -> list[str]:
    """Of the list that a path with a parameter chooses from, all ids or names."""
    collection, parameter, _ = operation.path.partition("/{")
    lists = {one.path for one in OPERATIONS if one.method == "get"}
    if not parameter or collection not in lists:
        return []
    await _furnish(running)
    items = (await running.get(f"{collection}?limit=100" if collection == JOBS else collection))["items"]
    return [str(item["id"] if "id" in item else item["name"]) for item in items]


async def _furnish(running: Running) -> None:
    """Jobs in all kinds of states, schedules, and dead letters that can and cannot be redriven."""
    for state in STATES:
        job = (await running.submit())["id"]
        await running.sql("UPDATE warren.jobs SET state = $2 WHERE id = $1", job, state)
    for when in ({"cron_expression": "30 2 * * *", "timezone": "Europe/Berlin"}, {"interval_seconds": 60}):
        schedule = {"name": "n", "job_type": "echo", "payload": {"message": "hi"}}
        await running.post("/api/v1/schedules", 201, schedule | when)
    bodies = (b"{", b"\xff", b'{"type": "echo", "payload": {"message": "hi"}}')
    letters = [Incoming(body, "jobs.in", "job.echo.p5", "births", {}, str(uuid4())) for body in bodies]
    await keep(running.room.database, [DeadLetter(letter, "malformed", "body: is not JSON") for letter in letters])
