"""The job types that come with Warren do what they say; what cannot succeed fails for good."""

from __future__ import annotations

import contextvars
import json
import math
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from actors.attempts.craft import coroutine_function
from actors.broker import JobBroker
from actors.configured import configured_as
from actors.context import Context, current
from actors.declared.roster import job_types
from actors.ends import PermanentError
from deploy.defaults.backup_key import of
from persistence.declared import payloads
from tests.shipped import declare
from wire import strict_json
from wire.settings import Limits
from wire.slices.backup import Backup
from wire.tracing import Trace

Run = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture
def types(broker: JobBroker) -> dict[str, Run]:
    """Each type's function as the lane calls it, declared on a broker of this test; its result is as it is kept."""
    declare()
    return {name: _kept(function) for name, actor in broker.actors.items() if (function := coroutine_function(actor))}


async def test_echo_gives_back_what_it_got(types: dict[str, Run]) -> None:
    payload = {"message": "é", "n": 10**30, "nested": {"a": [None, 1.5]}}

    assert payload == await types["echo"](**payload)
    assert {} == await types["echo"]()


@pytest.mark.parametrize(
    ("operation", "a", "b", "result"),
    [
        ("add", 2, 3, 5), ("subtract", 2, 3, -1), ("multiply", 2.5, 2, 5.0), ("divide", 1, 4, 0.25),
        ("power", 2, 100, 2**100), ("power", 2, -1, 0.5), ("modulo", 7, 3, 1), ("modulo", -7, 3, 2),
        ("add", 10**30, 1, 10**30 + 1),
    ],
)  # fmt: skip
async def test_math_computes(types: dict[str, Run], operation: str, a: float, b: float, result: float) -> None:
    assert {"result": result} == await types["math"](operation=operation, a=a, b=b)


@pytest.mark.parametrize(
    ("operation", "a", "b"),
    [
        ("divide", 1, 0), ("modulo", 1, 0), ("divide", 1.0, 0.0), ("power", 0, -1), ("power", 10, 5_000),
        ("power", 2, 4_097), ("power", 10**900, 4_096), ("power", 10, 10**900), ("power", -8, 0.5),
        ("power", 10.0, 400), ("multiply", 1e308, 10),
        ("divide", 10**900, 1), ("add", 10**900, 0.5), ("add", "one", 1), ("sqrt", 1, 1), ("add", True, None),
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
async def test_what_cannot_be_computed_fails_for_good(types: dict[str, Run], operation: str, a: Any, b: Any) -> None:
    with pytest.raises(PermanentError):
        await types["math"](operation=operation, a=a, b=b)


async def test_random_failure_never_and_always(types: dict[str, Run]) -> None:
    current.set(_job(attempt=1))

    assert {"attempt": 1} == await types["random_failure"](failure_rate=0)
    with pytest.raises(Exception, match=r"attempt 1 failed by chance \(100%\)"):
        await types["random_failure"](failure_rate=1)


def test_random_failure_with_a_seed_fails_the_same_attempts(types: dict[str, Run]) -> None:
    def fate(attempt: int, seed: int) -> bool:
        current.set(_job(attempt))
        run = types["random_failure"](failure_rate=0.5, seed=seed)
        try:
            run.send(None)
        except StopIteration:
            return True
        except Exception:  # noqa: BLE001 - its class is made anew for each test
            return False
        raise AssertionError("it waited for something")

    fates = [[contextvars.copy_context().run(fate, attempt, seed) for attempt in range(1, 9)] for seed in (1, 1, 2)]

    assert fates[0] == fates[1] != fates[2]
    assert len(set(fates[0])) == 2


async def test_sleep_for_no_time_says_that_it_is_done(types: dict[str, Run]) -> None:
    job = _job(attempt=1)
    current.set(job)
    slept = await types["sleep"](duration=0)

    assert math.isclose(0, slept["slept_seconds"], abs_tol=0.1)
    assert (1.0, None) == job.progress


@pytest.mark.parametrize("duration", [-1, 604_801, "long", None])
async def test_sleep_refuses_what_is_no_duration(types: dict[str, Run], duration: object) -> None:
    with pytest.raises(PermanentError, match=r"payload\.duration"):
        await types["sleep"](duration=duration)


def test_every_type_describes_itself_and_shows_an_example(types: dict[str, Run], broker: JobBroker) -> None:
    assert {"echo", "http_request", "math", "random_failure", "sleep"} <= types.keys()
    with configured_as(
        Backup(places=("s3://backups/=/srv/backups/",), key=SecretStr(of(bytes(32))))
    ):  # as on deploy/up
        declared = job_types(broker.actors, Limits()).values()
    for job_type in declared:
        assert job_type.description, job_type.name
        for schema in (json.loads(job_type.payload_schema), json.loads(job_type.result_schema or "{}")):
            assert schema["properties"] or schema["additionalProperties"], job_type.name
        for example in json.loads(job_type.payload_schema)["examples"]:
            payloads.check(example, job_type)


def test_every_field_of_a_payload_and_of_a_result_says_what_it_is_for(types: dict[str, Run], broker: JobBroker) -> None:
    """
    They are what /docs and docs/job-types.md show.
    """
    assert types
    silent = [
        f"{job_type.name}: {field}"
        for job_type in job_types(broker.actors, Limits()).values()
        for schema in (json.loads(job_type.payload_schema), json.loads(job_type.result_schema or "{}"))
        for model in (schema, *schema.get("$defs", {}).values())
        for field, said in model.get("properties", {}).items()
        if "description" not in said
    ]

    assert [] == silent


def test_a_file_of_the_catalogue_is_one_type(broker: JobBroker) -> None:
    assert declare() == len(broker.actors)


def _kept(function: Run) -> Run:
    async def run(**fields: Any) -> Any:
        return strict_json.parse(strict_json.encode(await function(**fields)).encode())

    return run


def _job(attempt: int) -> Context:
    return Context(UUID(int=1), "x", "default", attempt=attempt, max_retries=3, priority=5, trace=Trace.begin())
